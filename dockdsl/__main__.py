"""``python -m dockdsl``."""

from dockdsl.cli import main

raise SystemExit(main())
