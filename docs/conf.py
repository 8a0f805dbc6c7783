"""Sphinx configuration. A warning is an error, and every example on the pages runs: see `examples.py`."""

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

from dockdsl import __version__  # noqa: E402

project = "dockdsl"
copyright = "2026, the dockdsl developers"  # noqa: A001 - Sphinx names it so
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.doctest", "examples"]
exclude_patterns = ["_build"]
nitpicky = True
smartquotes = False
# Single backquotes in docstrings.
default_role = "named"

html_theme = "furo"
html_title = "dockdsl"
html_copy_source = False
html_show_sourcelink = False

myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"
autodoc_class_signature = "mixed"

# Examples in docstrings are run by pytest. Here every difference counts: no ellipsis but where it is asked for.
doctest_test_doctest_blocks = ""
doctest_default_flags = 0
doctest_path = [str(DOCS)]
doctest_global_setup = "import examples; examples.enter()"
doctest_global_cleanup = "examples.leave()"
