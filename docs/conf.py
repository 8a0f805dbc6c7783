"""Sphinx configuration. A warning is an error, and every example on the pages runs: see `examples.py`."""

import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

from dockdsl import __version__  # noqa: E402

project = "dockdsl"
copyright = "2026, the dockdsl developers"  # noqa: A001 - Sphinx names it so
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.doctest", "sphinx_copybutton", "examples", "frame"]
exclude_patterns = ["_build", "ja"]  # the Japanese pages are built on their own: see `frame.py`
nitpicky = True
smartquotes = False
# Single backquotes in docstrings.
default_role = "named"

html_theme = "furo"
html_title = "dockdsl"
html_copy_source = False
html_show_sourcelink = False
html_static_path = ["_static"]
html_css_files = ["pages.css"]
templates_path = ["_templates"]
html_sidebars = {
    "**": [
        "sidebar/brand.html",
        "language.html",
        "sidebar/search.html",
        "sidebar/scroll-start.html",
        "sidebar/navigation.html",
        "sidebar/scroll-end.html",
    ]
}
# A session is copied without its prompts and what is printed.
copybutton_prompt_text = r">>> |\.\.\. |\$ |> "
copybutton_prompt_is_regexp = True

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
