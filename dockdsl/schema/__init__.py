"""The model of a Dockerfile as data for other programs."""
