# Everything a person does with a checkout. Needs Python 3.11, 3.12 or 3.13 and make; the rest is installed into .venv.

SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
export PYTHONUNBUFFERED = 1

# Given on the command line (make run TENANTRY_PORT=9000) or in the environment.
export TENANTRY_PORT TENANTRY_EMULATOR_PORT TENANTRY_VAR TENANTRY_DEMO_SEED

.PHONY: help run reset test check format lock screenshots setup setup-run

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

run: setup-run ## start the demo on this machine and print its address
	@exec $(BIN)/python -m config.run run

reset: setup-run ## wipe the demo
	@$(BIN)/python -m config.run reset

test: setup ## all tests but those on real servers
	$(BIN)/python -m pytest -n 2 --dist loadgroup

check: setup ## lint, types, import rules, migrations, licences
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/pip-licenses --python $(BIN)/python --partial-match --allow-only="$$(paste -sd';' requirements/licences.txt)" > /dev/null

format: setup ## let ruff put the code in order
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

screenshots: setup ## take the pictures of docs/screenshots anew
	$(BIN)/python -m pytest -q -n 0 tests/flows/screenshots.py

lock: setup ## pin the newest allowed versions, for every supported Python, with hashes
	$(BIN)/uv pip compile $(LOCK) pyproject.toml -o requirements/base.txt
	$(BIN)/uv pip compile $(LOCK) --extra dev -c requirements/base.txt pyproject.toml -o requirements/dev.txt

LOCK := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header

setup: ## the environment with what tests and checks need
	@bash config/setup.sh dev

setup-run: ## the environment with what a site needs
	@bash config/setup.sh base

-include tests/live/lab.mk
