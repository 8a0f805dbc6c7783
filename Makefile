# Two commands do all the set-up: `make demo` (the main job) and `make test` (all tests).
.DEFAULT_GOAL := help
SHELL := /bin/bash

VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
PROVISION := python3 tests/provision/provision.py
IMAGES := go,busybox,python
# In CI an engine is demanded: its tests run, or the run fails.
REQUIRE := $(if $(CI),--require,)
# Without an engine the runner's code is not reached, so the threshold holds where one is demanded.
COVERED := $(if $(CI),--fail-under=92,)

.PHONY: help demo test tests-here test-long check docs bench fuzz format clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(READY): pyproject.toml
	@test -x $(PYTHON) || python3 -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); $(MAKE) --no-print-directory venv-package; python3 -m venv $(VENV); }
	@$(PYTHON) -m pip install -qq --disable-pip-version-check "pip>=25.1"
	@$(PYTHON) -m pip install -qq --disable-pip-version-check --editable ".[runner]" --group dev --group docs
# What pip does when it installs; a checkout would else be compiled anew by each process where Python may write no bytecode.
	@$(PYTHON) -m compileall -q dockdsl
	@touch $@

# Debian keeps the venv module in a package of its own.
.PHONY: venv-package
venv-package:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "installing python3-venv" >&2; apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; \
	else echo "python3 has no venv module: install python3-venv" >&2; exit 2; fi

demo: $(READY) ## Render builds/go_api.py, build it on a real BuildKit, and ask the API in the image
	@echo "== builds/go_api.py is this Dockerfile:" && $(PYTHON) -m dockdsl builds/go_api.py
	@echo "== built by BuildKit, run, and asked over HTTP:"
	@$(PROVISION) run --require --images go -- $(PYTHON) -m dockdsl test builds/go_api.py

test: $(READY) ## Run all tests; an engine is brought up where none is reachable
	@$(PROVISION) run $(REQUIRE) --images $(IMAGES) -- $(MAKE) --no-print-directory tests-here

# Inside: what needs the engine's environment.
tests-here:
	@rm -f .coverage .coverage.*
	@$(PYTHON) -m coverage run -m pytest $(ARGS)
	@$(PYTHON) -m coverage combine -q && $(PYTHON) -m coverage report $(COVERED)
	@if [ -z "$$DOCKDSL_ENGINE_REASON" ]; then \
	  DOCKDSL_DOCS_ENGINE=1 $(PYTHON) -m sphinx -q -W -n -b doctest docs docs/_build/doctest; fi

test-long: $(READY) ## The same with 20 times as many generated values, and 200 killed runs
	@DOCKDSL_EXAMPLES_FACTOR=20 $(MAKE) --no-print-directory test

check: $(READY) ## Lint, types, docs
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/mypy
	@$(MAKE) --no-print-directory docs

docs: $(READY) ## Build the documentation; a warning is an error, and its examples run
	@$(PYTHON) -m sphinx -q -W -n -b html docs docs/_build/html
	@$(PYTHON) -m sphinx -q -W -n -b doctest docs docs/_build/doctest

bench: $(READY) ## Measure speed as ratios, each with its goal; ARGS="--only cli" for one row
	@$(PROVISION) run --images go -- $(PYTHON) tests/bench/bench.py $(ARGS)

FUZZ_SECONDS := 60
fuzz: $(READY) ## Feed the reader texts that reach new code, for FUZZ_SECONDS (60)
	@$(PYTHON) -c "import atheris" 2>/dev/null || $(PYTHON) -m pip install -qq --disable-pip-version-check "atheris>=3"
	@$(PYTHON) tests/fuzz/parser.py -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=.cache/fuzz/ .cache/fuzz/parser

format: $(READY) ## Format the Python files
	@$(VENV)/bin/ruff check --fix -q . || true
	@$(VENV)/bin/ruff format .

clean: ## Remove what is made, the private engine included
	@$(PROVISION) down || true
	rm -rf $(VENV) .cache docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis
