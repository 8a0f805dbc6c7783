"""A file can be read.

A Dockerfile is refused where BuildKit refuses it, before it builds anything: each problem is a finding at its line. A
Python file is run; what it raises is a finding, at the line of the file that did. The other files are checked all the
same.

Bad::

    FROM alpine:3.22
    RUNN make

Good::

    FROM alpine:3.22
    RUN make

Fix: do what the message says.

Source: https://docs.docker.com/reference/dockerfile/#format
"""

from __future__ import annotations

from dockdsl.lint.rule import Rule

RULE = Rule("Unreadable", None, __doc__ or "", "error")
