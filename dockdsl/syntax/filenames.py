"""Which files are Dockerfiles by their names."""

from __future__ import annotations


def is_dockerfile(name: str) -> bool:
    """Whether a file of this name, without its folder, is a Dockerfile.

    >>> [is_dockerfile(name) for name in ("Dockerfile.dev", "api.dockerfile", "Containerfile", "Dockerfile.py")]
    [True, True, True, False]
    """
    name = name.lower()
    is_named_so = name.startswith(("dockerfile", "containerfile")) or name.endswith((".dockerfile", ".containerfile"))
    return is_named_so and not name.endswith((".dockerignore", ".containerignore", ".py"))
