"""Checks of a Dockerfile before it is built: each rule is one file."""
