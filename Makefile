# `make live` shows the demo, `make test` runs every check and test. Both set up what they need in .venv first.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile -c constraints.txt

.PHONY: live test check system clean

live: .venv/.live
	$(BIN)/python run_live.py

test: check
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

check: .venv/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

system:
	@sh scripts/system-libraries.sh

# pip compiles on one core: left to the end, all of them do it, in half the time.
define install
	test -d .venv || $(PYTHON) -m venv .venv
	$(PIP) torch
	$(PIP) -e '$(1)'
	$(BIN)/python -m compileall -q -j 0 .venv/lib > .venv/compiled.log 2>&1 || true
endef

.venv/.live: pyproject.toml constraints.txt | system
	$(call install,.)
	@touch $@

# The tests need more than the program does, so that is there then, too.
.venv/.test: pyproject.toml constraints.txt | system
	$(call install,.[test])
	@touch .venv/.live $@

clean:
	rm -rf .venv .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
