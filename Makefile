# Everything here works in a fresh clone: each target first makes .venv and installs the pinned
# dependencies into it, once. The stamp is remade when the dependencies change.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# as many processes as there are processors
PYTEST := $(BIN)/python -m pytest -n auto --dist loadgroup --no-loadscope-reorder
CONFIG ?= configs/fork_exec_storm.yaml
ARGS ?=
RUNS ?= 0-20000
EXPERIMENTS ?= $(addprefix docs/experiments/,$(addsuffix .md,child-runs-first creating-processes threads-and-processes \
    every-process zombies schedulers reparenting tasklist-lock set-task-state slab-caches))
JOBS ?= 2

PYTHONS ?=

.PHONY: help setup core run test check soak bench experiments wheel site fast clean-fast clean
.DEFAULT_GOAL := help

help:
	@echo "make run     run $(CONFIG) on a local Ray (CONFIG=... ARGS='--set machine.cpus=4')"
	@echo "make test    all tests (ARGS='-k config')"
	@echo "make check   ruff, mypy --strict, import contracts, fast tests"
	@echo "make soak    thousands of mutants of programs and configurations: no traceback may come out;"
	@echo "             runs whose actors, driver, packets and files come to harm end as if nothing had happened;"
	@echo "             runs on Ray, packed in every way, on one host and on two, have the local engine's bytes;"
	@echo "             runs whose CPUs ran free are made again to the same digest;"
	@echo "             and races in the kernel as it is (RUNS=0-1000000 for all, in parts: RUNS=20000-40000);"
	@echo "             every scenario of configs/races is found under each memory model, made small, made again,"
	@echo "             what docs/races-proofs.md says is certified once more;"
	@echo "             and the cases of large sets of tests that make test leaves out"
	@echo "make bench   lifecycles per second against the host kernel and SimPy"
	@echo "make experiments  the book's experiments: tables and figures are written into docs/experiments"
	@echo "make site    the documentation as a site, in build/site"
	@echo "make wheel   wheels in dist/: one of Python only, and one with the compiled core for each of"
	@echo "             python3.11, 3.12, 3.13 that is on PATH (PYTHONS='/opt/py/bin/python3.12 ...')"
	@echo "make fast    compile the core now, which setup and run only begin; make clean-fast removes it"
	@echo "make setup   only make $(VENV)"
	@echo "make clean   remove caches (not $(VENV), not runs/)"

setup: $(STAMP) core

$(STAMP): pyproject.toml .ci/constraints.txt
	@$(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	    sh .ci/make_venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input \
	    -c .ci/constraints.txt -e '.[dev]'
	@# as pip does for a package that it copies, whatever PYTHONDONTWRITEBYTECODE says
	@$(BIN)/python -m compileall -q cluster kernel workloads
	@touch $@

# begins to compile the core where it can be and has not been, and does not wait for it
core: $(STAMP)
	@$(BIN)/python -m cluster.compile_core --background

run: $(STAMP) core
	$(BIN)/smplab run $(CONFIG) $(ARGS)

test: $(STAMP)
	$(PYTEST) $(ARGS)

check: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict
	$(BIN)/lint-imports
	$(PYTEST) -m "not slow and not ray" $(ARGS)

soak: $(STAMP)
	$(BIN)/python -m tests.oracle.mutants $(ARGS)
	SMPLAB_CORE=pure $(BIN)/python -m tests.oracle.fault_soak
	SMPLAB_CORE=pure $(BIN)/python -m tests.oracle.ray_equality
	SMPLAB_CORE=pure $(BIN)/python -m tests.oracle.replays
	SMPLAB_CORE=pure $(BIN)/python -m tests.oracle.race_soak --runs $(RUNS) --jobs $(JOBS)
	SMPLAB_CORE=pure $(BIN)/python -m tests.oracle.race_scenarios --jobs $(JOBS)
	SMPLAB_CORE=pure $(BIN)/python -m tests.oracle.proofs --check --jobs $(JOBS)
	SMPLAB_SCHEDULES=200 $(PYTEST) --soak -m slow tests/kernel/races/test_race_scenarios.py
	$(PYTEST) --soak -m soak --deselect tests/kernel/races/test_race_scenarios.py

# builds the compiled core first if it can, and measures the pure one beside it
bench: $(STAMP)
	$(BIN)/python tests/benchmarks/lifecycles.py $(ARGS)

# what differs from what the pages show is for their text to say: look at git diff
experiments: $(STAMP) core
	$(BIN)/python docs/blocks.py $(EXPERIMENTS)

site: $(STAMP)
	$(BIN)/python docs/make_site.py

wheel: $(STAMP)
	$(BIN)/python -m cluster.make_wheels -o dist $(PYTHONS)

fast: $(STAMP)
	$(BIN)/python -m cluster.compile_core

clean-fast:
	rm -rf build/fast

clean:
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +
