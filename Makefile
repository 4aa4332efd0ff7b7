# Every target works on a fresh clone: it makes .venv and installs first, and skips that while nothing changed.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ROOMS := agents services knowledge_base benchmarks
# Two test processes: the tests start workers and Redis servers of their own.
PROCESSES ?= 2

# Installed first and by itself: anything that asks for "some torch" would choose the largest build there is.
TORCH := torch==2.13.0

.PHONY: help install demo test lint format types imports docs lock bench-people bench-honesty bench-machinery bench-policies bench-endpoint bench-faults bench-hostile bench-together bench-drift bench-load bench-fairness bench-kills bench-databases bench-next-pair clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

install: $(STAMP) ## make .venv and install Touchstone with everything its tests need

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is $$($(PYTHON) --version); use PYTHON=python3.11 or newer" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet $(TORCH) -c constraints.txt
	$(BIN)/python -m pip install --quiet --editable '.[dev]' -c constraints.txt
	@touch $@

demo: install ## mine the two samples that come with the project; writes demo-out
	$(BIN)/touchstone demo --out demo-out

test: install ## run every test
	$(BIN)/python -m pytest -n $(PROCESSES)

lint: install ## check style: ruff's rules and its formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: install ## mend what ruff can mend by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: install ## check types: mypy --strict
	$(BIN)/mypy --strict $(ROOMS)

imports: install ## check that imports point only rightwards
	$(BIN)/lint-imports

docs: install ## write the generated pages anew
	$(BIN)/python -m services.docs

lock: ## resolve all versions afresh in a new environment and write constraints.txt
	rm -rf build/lock
	$(PYTHON) -m venv build/lock
	build/lock/bin/python -m pip install --quiet $(TORCH)
	build/lock/bin/python -m pip install --quiet --editable '.[dev]' $(TORCH)
	{ sed -n '/^#/p' constraints.txt; \
	  build/lock/bin/python -m pip freeze --all --exclude pip --exclude touchstone-criteria \
	  | sed -E 's/^(torch==[0-9.]+)\+.*/\1/' | LC_ALL=C sort --ignore-case; } > build/constraints.txt
	! grep -nE '^[^#].*(@|file:)|^-e' build/constraints.txt
	mv build/constraints.txt constraints.txt
	rm -rf build/lock

bench-people: install ## benchmark 1: accuracy on real people's preferences (needs ../shared/data)
	$(BIN)/python -m benchmarks.bench_people --write

bench-honesty: install ## benchmark 2: do intervals cover, and how optimistic is mining (needs ../shared/data)
	$(BIN)/python -m benchmarks.bench_honesty --write

bench-machinery: install ## benchmark 3: what the queue costs a judgment
	$(BIN)/python -m benchmarks.bench_machinery --write

bench-policies: install ## benchmarks 4 and 5: robust against paper in simulated worlds, and parts left out
	$(BIN)/python -m benchmarks.bench_policies --write

bench-endpoint: install ## benchmark 6: is an endpoint kept busy
	$(BIN)/python -m benchmarks.bench_endpoint --write

bench-faults: install ## benchmark 7: every fault at once, workers killed: is anything lost or doubled
	$(BIN)/python -m benchmarks.bench_faults --write

bench-hostile: install ## benchmark 8: hostile texts in every place of a prompt
	$(BIN)/python -m benchmarks.bench_hostile --write

bench-together: install ## benchmark 9: several criteria in one call
	$(BIN)/python -m benchmarks.bench_together --write

bench-drift: install ## benchmark 10: false alarms, detection and causes in simulated streams
	$(BIN)/python -m benchmarks.bench_drift --write

bench-load: install ## benchmark 11: fifty runs and a hundred requests a second
	$(BIN)/python -m benchmarks.bench_load --write

bench-fairness: install ## benchmark 12: do runs of all sizes get fair shares
	$(BIN)/python -m benchmarks.bench_fairness --write

bench-kills: install ## benchmark 13: everything killed at random: is anything lost or doubled
	$(BIN)/python -m benchmarks.bench_kills --kills 200 --database sqlite --write
	$(BIN)/python -m benchmarks.bench_kills --kills 200 --database postgres --write

bench-databases: install ## benchmark 14: hot paths on Postgres against an SQLite file
	$(BIN)/python -m benchmarks.bench_databases --write

bench-next-pair: install ## benchmark 15: votes on chosen pairs against votes on random ones
	$(BIN)/python -m benchmarks.bench_next_pair --worlds 400 --write

clean: ## remove everything that these targets make, .venv included
	rm -rf $(VENV) build dist demo-out .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .benchmarks
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	rm -rf ./*.egg-info
