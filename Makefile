# Two commands do all the set-up: `make demo` (the main job) and `make test` (all tests).
.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c

VENV := .venv
PYTHON := $(VENV)/bin/python
READY := $(VENV)/.ready
PROVISION := python3 tests/provision/provision.py
IMAGES := go,busybox,python
SPHINX := $(PYTHON) -m sphinx -q -W -n
PIP := $(PYTHON) -m pip install --disable-pip-version-check
# In CI an engine is required: its tests run, or the run fails.
REQUIRE := $(if $(CI),--require,)
TESTER := pytest
# The tests of an engine often wait for it.
WORKERS := $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))

.PHONY: help demo test tests-here test-quick test-long coverage check docs wheels frontend frontend-here compare bench fuzz format clean venv-package

help: ## List what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# The packages are listed as pip comes to them: it takes a minute or so.
$(READY): pyproject.toml
	@echo "== installing dockdsl, its requirements and its development tools from PyPI into $(VENV) (about 800 MB):"
	@test -x $(PYTHON) || python3 -m venv $(VENV) 2>/dev/null || { rm -rf $(VENV); $(MAKE) --no-print-directory venv-package; python3 -m venv $(VENV); }
	@$(PIP) -qq "pip>=25.1"
	@$(PIP) --progress-bar off --editable ".[runner]" --group dev --group docs | sed -nuE 's/^Collecting ([^ ]+).*/   \1/p; s/^(Installing) collected packages.*/   \1 them/p'
# As pip does for what it copies; else each process would compile the checkout anew where Python may write no bytecode.
	@$(PYTHON) -m compileall -q dockdsl
	@touch $@

# Debian keeps the venv module in a package of its own.
venv-package:
	@if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  echo "   python3-venv, from Debian" >&2; apt-get update -qq && apt-get install -y -qq python3-venv >/dev/null; \
	else echo "python3 has no venv module: install python3-venv" >&2; exit 2; fi

demo: about-demo $(READY) ## Render builds/go_api.py, build it on a real BuildKit, and query the API in the image
	@echo "== builds/go_api.py is this Dockerfile:" && $(PYTHON) -m dockdsl builds/go_api.py
	@echo "== built by BuildKit, run, and queried over HTTP:"
	@$(PROVISION) run --require --images go -- $(PYTHON) -m dockdsl test builds/go_api.py

test: about-test $(READY) ## Run all tests, in about 12 minutes on two cores; an engine is brought up where none answers
	@$(PROVISION) run $(REQUIRE) --images $(IMAGES) -- $(MAKE) --no-print-directory tests-here

test-quick: $(READY) ## Run the tests that need no engine
	@$(PYTHON) -m pytest --numprocesses auto -m "not engine" $(ARGS)

define ENGINE
   Where no Docker Engine with buildx answers, one is installed into .cache/engine, from Debian packages (1 GB; needs
   Debian and root), and stopped at the end. Nothing else is installed; `make clean` removes it all.
endef
export ENGINE

.PHONY: about-demo about-test
about-demo:
	@echo "== the demo takes about 3 minutes the first time, and half a minute afterwards"; echo "$$ENGINE"
about-test:
	@echo "== the tests take about 12 minutes on two cores, and about 3 more the first time"; echo "$$ENGINE"

# Inside: what needs the engine's environment.
tests-here:
	@$(PYTHON) -m $(TESTER) --numprocesses $(WORKERS) --dist loadgroup --ignore tests/typing $(ARGS)
	@if [ -z "$$DOCKDSL_ENGINE_REASON" ]; then \
	  DOCKDSL_DOCS_ENGINE=1 $(MAKE) --no-print-directory pages-doctest; fi

test-long: $(READY) ## The same with 20 times as many generated values, 100,000 damaged Dockerfiles, and 200 killed runs: takes hours
	@DOCKDSL_EXAMPLES_FACTOR=20 $(MAKE) --no-print-directory test

coverage: $(READY) ## Run all tests, and tell which lines of the package none reaches: takes twice as long
	@rm -f .coverage .coverage.*
	@$(MAKE) --no-print-directory test TESTER="coverage run -m pytest"
	@$(PYTHON) -m coverage combine -q && $(PYTHON) -m coverage report --fail-under=92

check: $(READY) ## Check style, spelling, types and documentation
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/codespell
	@$(VENV)/bin/mypy
	@$(VENV)/bin/pre-commit validate-config
	@$(PYTHON) -m pytest -q tests/typing
	@$(MAKE) --no-print-directory docs

docs: $(READY) ## Build the documentation; a warning is an error, and its examples run
	@$(MAKE) --no-print-directory pages-html pages-doctest

# The Japanese pages are built on their own, with the same settings, into a folder of the English ones.
pages-%:
	@$(SPHINX) -b $* docs docs/_build/$*
	@$(SPHINX) -b $* -c docs -D language=ja docs/ja docs/_build/$*/ja

# The wheels are the context of the build, which needs no network then.
WHEELS := .cache/frontend
wheels: $(READY)
	@rm -rf $(WHEELS) && mkdir -p $(WHEELS)
	@$(PYTHON) -m pip wheel -q --disable-pip-version-check --no-build-isolation --wheel-dir $(WHEELS) ".[frontend]"

frontend: wheels ## Build the image of the BuildKit frontend, and print how to use it
	@$(PROVISION) run --require --images python -- $(MAKE) --no-print-directory frontend-here

frontend-here:
	@$(PYTHON) -m dockdsl test builds/frontend.py
	@version=$$($(PYTHON) -c "import dockdsl; print(dockdsl.__version__)"); \
	host=$${DOCKER_HOST:-$$(docker context inspect --format '{{.Endpoints.docker.Host}}')}; \
	echo "== the engine at $$host has it as dockdsl-frontend:$$version."; \
	case "$$host" in unix://$(CURDIR)/.cache/engine/*|unix:///run/dockdsl-engine-*) echo "$$OWN_ENGINE";; esac; \
	sed "s/VERSION/$$version/g" <<< "$$FRONTEND"

define OWN_ENGINE
   That engine is this checkout's own, and no other has the image. To use it in a shell, and to end it:
     $(PROVISION) up && eval "$$($(PROVISION) env)"
     $(PROVISION) down
endef
export OWN_ENGINE

define FRONTEND
   Without a registry, put this line at the top of a Python file:
     # syntax=dockdsl-frontend:VERSION
   and build it: docker buildx build -f FILE.py FOLDER
   A builder in a container does not see the images of the engine: export the image by that builder, and say where it is:
     docker buildx build --output type=oci,tar=false,dest=frontend-oci,name=dockdsl-frontend:VERSION -f builds/frontend.Dockerfile .cache/frontend
     docker buildx build --build-context dockdsl-frontend:VERSION=oci-layout://frontend-oci:VERSION -f FILE.py FOLDER
   To publish it for several platforms, by such a builder or an engine with containerd's image store, and to know its digest:
     docker buildx build --platform linux/amd64,linux/arm64 --push -t REGISTRY/dockdsl-frontend:VERSION -f builds/frontend.Dockerfile .cache/frontend
     docker buildx imagetools inspect REGISTRY/dockdsl-frontend:VERSION
endef
export FRONTEND

MEASURED := docs/_static/compare.json
compare: $(READY) ## Measure the builder pattern and stages on the Go REST API, for the READMEs: takes about 10 minutes
	@rm -rf .cache/compare && mkdir -p .cache/compare && cp -r builds/builder_pattern .cache/compare/notes
	@cp go_app/go.mod go_app/*.go .cache/compare/notes
	@$(PROVISION) run --require --images go -- $(PYTHON) -m dockdsl compare .cache/compare/notes --repeat 2 --json -o $(MEASURED)
	@$(PYTHON) -m dockdsl compare --from $(MEASURED) --markdown --svg docs/_static/compare.svg
	@$(PYTHON) -m dockdsl compare --from $(MEASURED) --markdown --svg docs/ja/_static/compare.svg --lang ja

bench: $(READY) ## Measure speed as ratios, each with its goal; ARGS="--only cli" for one row
	@$(PROVISION) run --images go -- $(PYTHON) tests/bench/bench.py $(ARGS)

FUZZ_SECONDS := 60
fuzz: $(READY) ## Feed the reader texts that reach new code, for FUZZ_SECONDS (60)
	@$(PYTHON) -c "import atheris" 2>/dev/null || $(PYTHON) -m pip install -qq --disable-pip-version-check "atheris>=3"
	@$(PYTHON) tests/fuzz/parser.py -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=.cache/fuzz/ .cache/fuzz/parser

format: $(READY) ## Format the Python files
	@$(VENV)/bin/ruff check --fix -q . || true
	@$(VENV)/bin/ruff format .

clean: ## Remove what was made, the engine of the checkout included
	@$(PROVISION) down || true
	rm -rf $(VENV) .cache docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis
