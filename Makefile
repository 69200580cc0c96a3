# Roompulse: the commands of a developer and of CI. `make` alone lists them.
# Needs Python 3.11 or 3.12 and make; everything else comes by the hashed lock files.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-builtin-rules

# The first Python that fits and can make environments; `make PYTHON=... setup` names another.
PYTHON ?= $(shell for one in python3.11 python3.12 python3; do \
	$$one -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' \
	2>/dev/null && { echo $$one; break; }; done)
# Used to write the lock files and for nothing else; not part of the environment.
UV_VERSION := 0.13.9
# Holds the lock files against known vulnerabilities; not part of the environment either.
PIP_AUDIT_VERSION := 2.10.1

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PACKAGES := schemas streams producers roompulse deploy
# One process per processor, a test file in one process: its fixtures are set up once.
PARALLEL := -n logical --dist loadfile
# Limits of the long chaos run; see tests/chaos.
SOAK_EVENTS ?= 3000000
SOAK_KILLS ?= 50
# The sizes of the season; a process each.
SEASON_EVENTS ?= 2000000,5000000,10000000

.PHONY: help setup demo test check unit broker chaos soak bench season lock audit clean distclean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## make .venv from the hashed lock files, with the command roompulse in it

# Runs again only when a lock file or the project's declaration changed. The lock names every
# package, so nothing is resolved: pip would look past the pins at newer releases for extras.
$(INSTALLED): requirements-dev.lock pyproject.toml
	@if [ -z "$(PYTHON)" ]; then echo "make: no Python 3.11 or 3.12 with venv found: install" \
		"it (Debian: apt-get install python3.11 python3.11-venv), or name it with PYTHON=..." >&2; exit 1; fi
	@if ! $(BIN)/python -c '' 2>/dev/null; then $(PYTHON) -m venv --clear $(VENV); fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
		--no-deps --require-hashes --requirement requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
		--no-deps --no-build-isolation --editable .
	$(BIN)/python -m pip check
	@touch $@

demo: setup ## a festival evening through Kafka and Faust to the boards, in the terminal
	@$(BIN)/roompulse demo

test: check unit broker chaos ## everything that CI checks, in under 15 minutes on two processors

check: setup ## what needs no run: format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy tests
	$(BIN)/lint-imports

# pytest ends with exit code 5 where it finds no test, so none of these passes on nothing.
unit: setup ## unit tests and laws, in parallel
	$(BIN)/pytest -m "not broker and not chaos" $(PARALLEL)

broker: setup ## tests on a real Kafka, which they start themselves
	$(BIN)/pytest -m "broker and not chaos"

chaos: setup ## kill -9 of workers and of Kafka during a replay, the short run
	$(BIN)/pytest -m chaos

soak: setup ## the same for hours: SOAK_EVENTS=3000000 SOAK_KILLS=50
	ROOMPULSE_CHAOS_EVENTS=$(SOAK_EVENTS) ROOMPULSE_CHAOS_KILLS=$(SOAK_KILLS) \
		$(BIN)/pytest -m chaos --timeout 14400

bench: setup ## measure rates, processor time, memory and latency; stores them as JSON
	$(BIN)/python -m benchmarks

season: setup ## 75 days of ten hosts, 2, 5 and 10 million events: state and memory; 10 minutes
	$(BIN)/python -m benchmarks.season --events $(SEASON_EVENTS)

lock: setup ## resolve all dependencies anew: two Python lock files, one of Kafka's jars
	$(PYTHON) -m venv --clear build/uv
	build/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	build/uv/bin/uv pip compile pyproject.toml --python-version 3.11 --generate-hashes \
		--no-annotate --no-header --upgrade --quiet --output-file requirements.lock
	build/uv/bin/uv pip compile pyproject.toml --group dev --constraint requirements.lock \
		--python-version 3.11 --generate-hashes \
		--no-annotate --no-header --upgrade --quiet --output-file requirements-dev.lock
	$(BIN)/python -m deploy.kafka.jars lock

# Strict: what the database could not be asked about is a failure, not a pass. The developers' lock
# has all of the other one. First what needs no network.
audit: setup ## personal ids in outputs, secrets in errors; the lock files against known vulnerabilities
	$(BIN)/pytest -q tests/unit/test_people.py tests/unit/test_kafka_access.py
	$(PYTHON) -m venv --clear build/audit
	build/audit/bin/python -m pip install --quiet --disable-pip-version-check \
		pip-audit==$(PIP_AUDIT_VERSION)
	build/audit/bin/pip-audit --strict --disable-pip --require-hashes --vulnerability-service osv \
		--progress-spinner off --requirement requirements-dev.lock \
		|| { echo "make: packages to be raised (make lock), or no answer from the database" \
		"of vulnerabilities: see above" >&2; exit 1; }

clean: ## delete caches and built files; keeps .venv and Kafka's data
	rm -rf build dist out .demo *.egg-info .coverage .hypothesis
	rm -rf .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find $(PACKAGES) tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## delete also .venv, the local Kafka and its data
	if [ -x $(BIN)/roompulse ]; then $(BIN)/roompulse kafka down; fi
	rm -rf $(VENV) .kafka
