"""The model of a build: stages, and the Dockerfile that collects them."""
