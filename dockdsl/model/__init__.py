"""What a build is: stages, and the Dockerfile that collects them."""
