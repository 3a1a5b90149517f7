# Everything runs in ./.venv, which the first target that needs it makes. Only Python >= 3.11 and make are needed.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
FOREIGN := $(VENV)/foreign/.ready

.DEFAULT_GOAL := help

.PHONY: help demo test foreign postgres chromium lint types imports bench wheel requirements format clean

help:  ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

$(READY): requirements/dev.txt requirements/uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Batchata needs Python 3.11 or newer; '$(PYTHON)' is older. Try: make PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
	  || { echo "Python's venv module is missing. On Debian: apt-get install python3-venv"; exit 1; }
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@

# A batch server that nobody here wrote. What it needs does not go together with what we need, so it lives apart.
$(FOREIGN): $(READY) requirements/foreign.txt
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(VENV)/foreign && \
	  $(BIN)/uv pip sync --quiet --python $(VENV)/foreign/bin/python --require-hashes requirements/foreign.txt && \
	  touch $@ || echo "AIBrix could not be installed (it needs Python 3.11 or 3.12): its tests will be skipped"

foreign: $(FOREIGN)  ## AIBrix, whose files and batches the tests drive

demo: $(READY)  ## the main job, on documents of its own, with a small real model and no key
	$(BIN)/batchata local fetch
	$(BIN)/batchata demo

test: $(READY) foreign  ## all tests, with branch coverage
	$(BIN)/batchata local fetch
	$(BIN)/python -m pytest --numprocesses 2 --cov --cov-report=term-missing:skip-covered

postgres:  ## Debian's PostgreSQL, which the tests of the stores start and stop
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { \
	  SUDO=$$(test "$$(id -u)" = 0 || echo sudo); $$SUDO apt-get update -qq && \
	  $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql; } \
	  || echo "PostgreSQL could not be installed: its tests will be skipped"

chromium:  ## Debian's Chromium, in which the tests open the report
	@command -v chromium >/dev/null || { \
	  SUDO=$$(test "$$(id -u)" = 0 || echo sudo); $$SUDO apt-get update -qq && \
	  $$SUDO env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core; } \
	  || echo "Chromium could not be installed: its tests will be skipped"

lint: $(READY)  ## ruff and the layers contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY)  ## strict type check of package, tests and examples
	$(BIN)/mypy

imports: $(READY)  ## import time against pydantic's
	$(BIN)/python -m benchmarks.import_time

bench: imports  ## CPU and memory for each item, against a floor and peers; 20 minutes; writes docs/performance.md
	$(BIN)/python -m benchmarks.speed --peers --write docs/performance.md

wheel: $(READY)  ## build the wheel, install it alone into a fresh environment, and import it
	rm -rf build/wheel && $(BIN)/uv build --quiet --wheel --no-build-isolation --python $(BIN)/python -o build/wheel
	$(BIN)/uv venv --quiet --clear --python $(BIN)/python build/core
	$(BIN)/uv pip install --quiet --python build/core/bin/python build/wheel/*.whl
	cd build && core/bin/python -c 'import batchata; print("wheel ok:", len(batchata.__all__), "public names")'
	du -sm build/core | awk '{print "core only: " $$1 " MB"}'

format: $(READY)  ## rewrite the code in the house format
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

requirements: $(READY)  ## compile the pinned, hashed requirements anew
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	  requirements/uv.in -o requirements/uv.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	  requirements/foreign.in -o requirements/foreign.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --upgrade \
	  pyproject.toml --extra anthropic --extra openai --extra gemini --extra mistral --extra local --extra parquet --extra postgres --extra report --group dev -o requirements/dev.txt
	for peer in firming batchwork-ai pydantic-ai; do \
	  $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    benchmarks/speed/peers/$$peer.in -o benchmarks/speed/peers/$$peer.txt || exit 1; done

clean:  ## remove the virtual environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .coverage*
