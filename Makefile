# Each target does the set-up that it needs: a virtual environment in .venv, by uv where there is
# one and by venv and pip where there is not.  `make PYTHON=/path/to/python3.12 test` chooses the
# Python, `make UV= test` takes pip all the same, say where only pip knows the package index.

SHELL := /bin/sh
.DELETE_ON_ERROR:
.PHONY: help demo test soak bench lint clean

BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)
PYTHON := $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
INSTALL := $(if $(UV),$(UV) pip install --quiet --python $(BIN)/python,$(BIN)/python -m pip install --quiet --disable-pip-version-check)

NODE_APP := tests/interop/node
NODE_MODULES := $(NODE_APP)/node_modules/.package-lock.json

# The members of a dependency group, one a line: older versions of pip do not know --group.
GROUP := $(BIN)/python -c 'import sys, tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"][sys.argv[1]], sep="\n")'

help:
	@echo "make demo   watch a complete meeting happen on this machine"
	@echo "make test   run all tests"
	@echo "make soak   five minutes of hostile clients, two hundred kills, every mutant before every contract, a thousand streams"
	@echo "make bench  how fast it is on this machine"
	@echo "make lint   check format, style and types"
	@echo "make clean  remove the virtual environment, caches and recordings"

demo: .venv/installed
	@$(BIN)/mockzoom demo

# Four at a time also where there are two cores: many tests wait for windows to pass.
test: .venv/developed $(NODE_MODULES)
	@$(BIN)/python -m pytest -n 4 --dist worksteal

soak: .venv/developed
	@SOAK_S=300 SOAK_TALK_S=1800 SOAK_KILLS=200 SOAK_ZOO=4 SOAK_STREAMS=1000 SOAK_STAY_S=600 SDK_STREAMS=400 \
		$(BIN)/python -m pytest -s tests/soak tests/interop/test_many_streams.py

bench: .venv/developed
	@$(BIN)/python -m benchmarks

lint: .venv/developed
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy

clean:
	rm -rf .venv build dist recordings .mypy_cache .pytest_cache .ruff_cache .hypothesis $(NODE_APP)/node_modules

.venv/created:
	@test -n "$(PYTHON)" || { echo "mockzoom needs Python 3.11 or newer, and found none: install it, or say where it is with PYTHON=/path/to/python3.11" >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "mockzoom needs Python 3.11 or newer: $(PYTHON) is not" >&2; exit 2; }
	@echo "making .venv with $(PYTHON)"
	@$(if $(UV),$(UV) venv --quiet --seed --clear --python $(PYTHON) .venv,$(PYTHON) -m venv --clear .venv)
	@touch $@

.venv/installed: .venv/created pyproject.toml
	@echo "installing mockzoom into .venv"
	@$(INSTALL) --editable .
	@touch $@

# Zoom's own SDK has wheels for some platforms and versions of Python only.  Where it cannot be had
# everything else still works; tests/interop judges whether its absence is all right.
.venv/developed: .venv/installed
	@echo "installing the tools for development into .venv"
	@$(GROUP) dev > .venv/dev.txt && $(INSTALL) --requirement .venv/dev.txt
	@$(GROUP) sdk > .venv/sdk.txt && { $(INSTALL) --only-binary :all: --requirement .venv/sdk.txt \
		|| echo "going on without Zoom's SDK"; }
	@touch $@

# The same goes for the receiver on Node.js; npm itself writes the file that this is about.
# Node.js brings its own list of authorities; the one of this machine may know more.
$(NODE_MODULES): $(NODE_APP)/package-lock.json
	@echo "installing the receiver on Node.js"
	@NODE_OPTIONS="$$NODE_OPTIONS --use-openssl-ca" npm ci --prefix $(NODE_APP) --silent --no-audit --no-fund || echo "going on without it"
