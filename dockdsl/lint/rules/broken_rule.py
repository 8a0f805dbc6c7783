"""A rule of your own yields faults, raises nothing, and comes to an end.

What a rule raises, and what it yields that is not a ``Fault`` of the Dockerfile, is a finding at its own line. So
is a rule that takes longer than 10 seconds for a file. The other rules run all the same.

Bad::

    def no_sudo(subject):
        \"\"\"RUN uses no sudo.\"\"\"
        yield "sudo is used"

Good::

    from dockdsl import Fault


    def no_sudo(subject):
        \"\"\"RUN uses no sudo.\"\"\"
        for line in subject.steps("RUN"):
            if "sudo" in line.text:
                yield Fault(line, "sudo is used", "write USER root above it")

Fix: do what the message says.

Source: https://docs.python.org/3/reference/expressions.html#yield-expressions
"""

from __future__ import annotations

from dockdsl.lint.rule import Rule

RULE = Rule("BrokenRule", None, __doc__ or "", "error")
