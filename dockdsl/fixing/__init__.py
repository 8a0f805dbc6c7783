"""Fixing what the rules find: Dockerfiles, and the Python files that make them."""
