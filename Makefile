# Two commands matter: `make demo` and `make test`. Everything they need is set up by `make setup`.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
DEMO_ARGS ?=
TEST_ARGS ?=
FUZZ_ARGS ?=
FAULTS_ARGS ?= --kills 10000 --nats 50 --wipes 5 --postgres 50 --frozen 200 --cuts 500 --full 50 --soak 1800

.PHONY: setup node demo test check format bench faults fuzz tamper lock clean help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/' | expand -t 12

setup: $(STAMP)  ## create .venv from the committed lock

$(STAMP): pyproject.toml uv.lock tools/install.sh
	PYTHON="$(PYTHON)" VENV="$(VENV)" sh tools/install.sh
	@touch $@

demo: setup  ## the main job on real input, on embedded parts
	$(BIN)/erp-gateway demo $(DEMO_ARGS)

node: setup  ## the Node tools of tools/node, on the Node of a wheel; once
	@$(BIN)/python -m tools.node.installation

test: node  ## every test, on SQLite, PostgreSQL, nats-server and the ERP peers
	sh tools/test.sh $(BIN)/python $(TEST_ARGS)

check: node  ## format, lint, types, layering, the API's contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tools.contract.lint docs/openapi/*.json docs/openapi/released/*.json
	$(BIN)/python -m tools.contract.breaking docs/openapi/released/v1.json docs/openapi/openapi.json
	$(BIN)/python -m tools.contract.breaking docs/openapi/released/v1-salesforce.json docs/openapi/openapi-salesforce.json

format: setup  ## rewrite the tree in house style
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup  ## measure; writes benchmarks/results/
	$(BIN)/python -m benchmarks

faults: setup  ## a hundred thousand simulated worlds, ten thousand kills of real processes, every planted fault
	$(BIN)/python -m tests.simulation --seeds 100000
	$(BIN)/python -m tests.simulation --mutations
	$(BIN)/python -m tests.faults $(FAULTS_ARGS)
	$(BIN)/python -m tests.faults --planted

fuzz: setup  ## schemathesis, thousands of cases; `make test` has a shorter run
	$(BIN)/python -m tests.fuzz $(FUZZ_ARGS)

tamper: setup  ## thousands of acts of tampering with rows, payloads and published files; `make test` has fewer
	TAMPERINGS=1250 BIT_FLIPS=1000 $(BIN)/python -m pytest -q tests/ledger/test_tampering.py \
		tests/ledger/test_tampering_rows.py tests/ledger/test_bit_flips.py --timeout 900

lock: setup  ## resolve again; the written locks name no registry
	$(BIN)/uv lock && $(BIN)/python tools/neutral_lock.py uv.lock
	$(BIN)/python -m tools.node.installation --lock

clean:  ## remove what setup and runs made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
