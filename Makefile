# Everything starts here: each command makes the environment first, where it is missing or old.
# Variables of the environment can be given behind: make run PORT=9000 DATA_DIR=/srv/demo

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# Twice the cores that CI has: a test waits for databases and other programs half of its time.
TESTERS := 4

.PHONY: help run test bench chaos format lock clean

help:
	@echo 'make run     everything at once, with the demo cast; prints every address; Ctrl-C ends it'
	@echo 'make test    the whole suite: lint, types, floors, tests'
	@echo 'make bench   benchmarks, with their ratios'
	@echo 'make chaos   kill, cut, drain, flood and fill; tamper; take guards away'
	@echo 'make format  format the code and mend what can be mended'
	@echo 'make lock    pin the newest versions of all packages'
	@echo 'make clean   remove the environment and all caches (not DATA_DIR)'

run: $(READY)
	@exec $(BIN)/ussd-gateway demo

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -n $(TESTERS)

bench: $(READY)
	@exec $(BIN)/python -m benchmarks

chaos: $(READY)
	@exec $(BIN)/python -m tests.chaos

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(READY)
	@tools/lock

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache

$(READY): requirements/dev.txt requirements/uv.txt tools/setup
	@tools/setup
	@touch $@
