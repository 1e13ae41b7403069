# The first two commands are `make run` and `make test`. Both need Python 3.11 or later and nothing else:
# they make a virtual environment in .venv and install into it.

.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
# Any Python from 3.11 on; `make PYTHON=python3.13 run` chooses one.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
# An editable install by a plain path: the default one would slow down every start of Python with an import hook.
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --config-settings editable_mode=compat -e

.PHONY: help run test check format mutants nightly bench docs clean

help:  ## what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

run: $(VENV)/installed  ## install what is needed and run the main demonstration
	$(BIN)/forkyard run programs/family.s

test: $(VENV)/installed-dev  ## install what is needed and run all tests
	$(BIN)/python -m pytest $(ARGS)

check: $(VENV)/installed-dev  ## lint, format, types, and that imports go one way
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-dev  ## put the source into its one format
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

mutants: $(VENV)/installed-dev  ## plant each seeded bug: some test must fail (ARGS="--sample 5" for some)
	$(BIN)/python -m tests.mutants $(ARGS)

nightly: $(VENV)/installed-dev  ## the long searches: more examples, fresh seeds, every seeded bug
	$(BIN)/python -m pytest -m "nightly or not nightly" --hypothesis-profile=nightly $(ARGS)
	$(BIN)/python -m tests.mutants

bench: $(VENV)/installed-dev  ## speed of the engine, of starting up, of the assembler and of processes (against qemu: benchmarks/compare.py)
	@for b in benchmarks/engine.py benchmarks/startup.py benchmarks/assembler.py benchmarks/fork.py benchmarks/processes.py; do echo "== $$b"; $(BIN)/python $$b || exit 1; done

clean:  ## remove what make made
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(VENV)/made:
	@if [ -z "$(PYTHON)" ]; then \
		echo "forkyard needs Python 3.11 or later, and none was found on the PATH."; \
		echo "On Debian or Ubuntu: apt install python3 python3-venv. If it is elsewhere: make PYTHON=/path/to/python3 run"; \
		exit 1; fi
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) can make no virtual environment: its module venv or ensurepip is missing."; \
		echo "On Debian or Ubuntu: apt install python3-venv. Then run make again."; \
		exit 1; }
	@rm -rf $(VENV)
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/made pyproject.toml
	$(INSTALL) .
	@touch $@

$(VENV)/installed-dev: $(VENV)/made pyproject.toml
	$(INSTALL) '.[dev]'
	@touch $@ $(VENV)/installed
