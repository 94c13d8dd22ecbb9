.DEFAULT_GOAL := help
.PHONY: help demo up test check soak lint format clean

SAMPLES = $(sort $(wildcard samples/*.txt samples/*.md samples/*.fountain samples/*.csv samples/*.json))

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Render samples/ into out/, or one input: make demo INPUT=story.txt
	@scripts/bootstrap.sh base
	@mkdir -p out
	@.venv/bin/reelfarm render $(if $(INPUT),"$(INPUT)",$(SAMPLES)) --output out

up: ## Run the server on this machine, in .reelfarm/
	@scripts/bootstrap.sh base
	@scripts/up.sh

# The tests start hundreds of processes, and each would compile all that it imports.
test: ## Run all tests, on a real PostgreSQL, Ray and Redis
	@scripts/bootstrap.sh dev
	env -u PYTHONDONTWRITEBYTECODE .venv/bin/pytest -n 3 --dist loadgroup

check: lint test ## Lint, types, import rules and all tests: what CI runs

MINUTES ?= 30
SEED ?= $(shell od -An -N3 -tu4 /dev/urandom | tr -d ' ')

soak: ## Kill everything that can be killed for a while: make soak MINUTES=30 SEED=7
	@scripts/bootstrap.sh dev
	env -u PYTHONDONTWRITEBYTECODE .venv/bin/python -m tests.chaos.storm --minutes $(MINUTES) --seed $(SEED)

lint: ## Check style, types and import rules
	@scripts/bootstrap.sh dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

format: ## Format the code and fix what can be fixed
	@scripts/bootstrap.sh dev
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

clean: ## Remove what can be made again; films in out/ and the server's data in .reelfarm/ stay
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
