"""A Python file that is named defines a Dockerfile or an Image.

Of a folder, a Python file that defines none is a helper of others, and passed over.

Bad::

    from dockdsl import Stage

    app = Stage("alpine:3.22")

Good::

    from dockdsl import Dockerfile, Stage

    app = Stage("alpine:3.22")
    dockerfile = Dockerfile(app)

Fix: give the Dockerfile a name of the module that does not begin with ``_``, or name another file.

Source: https://docs.python.org/3/tutorial/modules.html
"""

from __future__ import annotations

from dockdsl.lint.rule import Rule

RULE = Rule("NoDockerfile", None, __doc__ or "", "error")
