"""The recipes are for the benchmark alone: they import libraries that only its own environments have."""

collect_ignore_glob = ["recipes/*"]
