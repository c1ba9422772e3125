# Two commands are all a newcomer needs: `make run` and `make test`. Both do their own set-up; a second call finds it done.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
CODE := journeymap tests scripts $(wildcard benchmarks) app.py setup.py
READY_TO_RUN := $(VENV)/ready-to-run
READY_TO_TEST := $(VENV)/ready-to-test
ARGS ?=
# Tests run side by side, as many at a time as there are processors, at most four: WORKERS=0 runs them one after the other.
WORKERS ?= auto

.PHONY: help
help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: $(READY_TO_RUN) ## the live page, fed by the simulated platform (ARGS="--rate 50" hands on options)
	@exec $(BIN)/journeymap run $(ARGS)

.PHONY: test
test: $(READY_TO_TEST) browser lint ## every check and every test (ARGS="-k word" hands on options to pytest)
	@CHROMIUM="$$(scripts/browser.sh)" $(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 4 --dist worksteal $(ARGS)

.PHONY: check
check: lint ## what CI checks besides the tests: style, types, architecture
	@$(BIN)/python -m pytest --quiet tests/architecture

.PHONY: bench
bench: $(READY_TO_TEST) ## the benchmarks, each figure beside its budget
	@$(BIN)/python -m benchmarks $(ARGS)

.PHONY: chaos
chaos: $(READY_TO_TEST) ## random faults and kill -9 at 500 events/s, then a comparison (ARGS="--seed 7 --minutes 10")
	@$(BIN)/python -m benchmarks.chaos $(ARGS)

.PHONY: fuzz
fuzz: $(READY_TO_TEST) ## all readers of foreign bytes against changed ones (ARGS="--inputs 10000000 --seed 2")
	@$(BIN)/python -m benchmarks.fuzz $(ARGS)

.PHONY: clean
clean: ## removes the environment, caches and build leftovers; keeps data/
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: lint
lint: $(READY_TO_TEST)
	@$(BIN)/ruff check --quiet $(CODE)
	@$(BIN)/ruff format --quiet --check $(CODE)
	@$(BIN)/mypy journeymap
	@$(BIN)/oxlint --quiet assets

.PHONY: browser
browser:
	@scripts/browser.sh >/dev/null

$(READY_TO_RUN): requirements.txt pyproject.toml scripts/setup.sh
	@scripts/setup.sh requirements.txt $@

$(READY_TO_TEST): requirements.txt requirements-dev.txt pyproject.toml scripts/setup.sh
	@scripts/setup.sh requirements-dev.txt $@
	@touch $(READY_TO_RUN)
