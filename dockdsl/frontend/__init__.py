"""A frontend for BuildKit: a Python file is built as a Dockerfile is, by ``docker buildx build -f FILE.py``."""
