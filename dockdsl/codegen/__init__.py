"""From values to Python source: the file that a Dockerfile's author would have written."""

from dockdsl.codegen.module import to_python as to_python
