# Two commands matter: `make demo` and `make test`. Everything they need is set up by `make setup`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEMO_ARGS ?=
TEST_ARGS ?=

.PHONY: setup demo test check format bench lock clean help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

setup: $(STAMP)  ## create .venv from the committed lock

$(STAMP): pyproject.toml uv.lock tools/install.sh
	PYTHON="$(PYTHON)" VENV="$(VENV)" sh tools/install.sh
	@touch $@

demo: setup  ## the main job on real input, on embedded parts
	$(BIN)/erp-gateway demo $(DEMO_ARGS)

test: setup  ## every test, on SQLite, PostgreSQL, nats-server and the ERP peers
	$(BIN)/python -m pytest $(TEST_ARGS)

check: setup  ## format, lint, types, layering
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: setup  ## rewrite the tree in house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup  ## measure; writes benchmarks/results/
	$(BIN)/python -m benchmarks

lock: setup  ## resolve again; the written lock names no registry
	$(BIN)/uv lock && $(BIN)/python tools/neutral_lock.py uv.lock

clean:  ## remove what setup and runs made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
