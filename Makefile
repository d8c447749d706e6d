# Two commands matter: `make demo` and `make test`. Everything lives in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
CHROMIUMS := "$$CHROMIUM" chromium chromium-browser google-chrome google-chrome-stable
HAS_CHROMIUM := { for name in $(CHROMIUMS); do command -v "$$name" >/dev/null && break; done; }

# Byte code is kept: the tests start thousands of interpreters
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test browser check format clean
help:
	@echo "make demo    install, start the demo service, run the main job over 10,000 inputs"
	@echo "make test    install what the tests need, run them all"
	@echo "make check   ruff, mypy, pyright, import-linter, the architecture tests"
	@echo "make format  let ruff write what it can"
	@echo "make clean   remove .venv and what the demo left"

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "unlost needs Python 3.11 or newer; write: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml | $(BIN)/python
	$(PIP) --editable '.[dev]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	$(BIN)/python examples/demo/run.py

test: $(VENV)/.dev browser
	@$(HAS_CHROMIUM) || echo "no Chromium: tests/browser is left out; write: apt-get install chromium (or CHROMIUM=PATH)"
	$(BIN)/python -m pytest -q -n auto $$($(HAS_CHROMIUM) || echo --ignore=tests/browser) $(ARGS)

# Debian's, where this may install it: playwright's own would be downloaded from elsewhere
browser:
	@$(HAS_CHROMIUM) || ! command -v apt-get >/dev/null || [ "$$(id -u)" != 0 ] || { \
	  apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends chromium fonts-dejavu-core; \
	} >/dev/null 2>&1 || true

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/house

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) examples/demo/.unlost examples/demo/results.jsonl examples/demo/urls.jsonl
