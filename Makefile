# make setup   a virtual environment in .venv, with the system packages a window needs
# make demo    the main job on the sample that ships: demo/screenshot.png and demo/files/
# make test    setup, lint, then every test (PYTEST_ARGS="-k fields" picks some)
# make lint    ruff, mypy, import-linter, the plugin's manifest
# make docs    the documentation site in site/, with what it needs; a broken link is an error
# make bench   the benchmarks
# make screenshots   docs/images, by a script that uses the window as a person does (ARGS="--theme light")
# make clean   removes what the others made
#
# PYTHON=python3.12 picks the interpreter; PIP_ARGS goes to pip and picks a build of torch: see
# constraints.txt.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: setup demo test lint bench screenshots clean system

VENV ?= .venv
EXTRAS ?= pyqt6,dev
PIP_ARGS ?=
PYTEST_ARGS ?=
ARGS ?=
BIN := $(VENV)/$(if $(filter Windows_NT,$(OS)),Scripts,bin)

# Looked for at each use, because `system` may just have installed one.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

# On a Linux without a display, a screen that nobody sees.
HIDDEN := $(and $(filter Linux,$(shell uname -s)),$(if $(DISPLAY)$(WAYLAND_DISPLAY),,yes))
SCREEN := $(if $(HIDDEN),xvfb-run -a -s "-screen 0 1400x1000x24")

setup: $(VENV)/.installed

$(VENV)/.installed: $(VENV)/.made pyproject.toml constraints.txt | system
	$(BIN)/python -m pip install $(PIP_ARGS) --constraint constraints.txt --editable ".[$(EXTRAS)]"
	@touch $@

$(VENV)/.made: | system
	$(if $(PYTHON),,$(error Python 3.11 or newer was not found: install one, or say make PYTHON=...))
	$(PYTHON) -m venv $(VENV)
	@touch $@

system:
	@tools/system.sh $(PYTHON)

demo: setup
	$(BIN)/drdm demo --out demo/files --overwrite
	$(SCREEN) $(BIN)/python -m napari_drdm.demo --out demo $(if $(HIDDEN),,--interactive)

test: setup lint
	$(SCREEN) $(BIN)/python -m pytest $(PYTEST_ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/npe2 validate napari.yaml

.PHONY: docs
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# The tools alone: the site reads the code and does not import it, so it needs neither torch nor napari.
$(VENV)/.docs: $(VENV)/.made pyproject.toml constraints.txt
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"], sep="\n")' > $(VENV)/docs.txt
	$(BIN)/python -m pip install $(PIP_ARGS) --constraint constraints.txt --requirement $(VENV)/docs.txt
	@touch $@

bench: setup
	$(BIN)/python -m benchmarks

screenshots: setup
	$(SCREEN) $(BIN)/python tools/screenshots.py $(ARGS)

clean:
	rm -rf $(VENV) build demo dist site ./*.egg-info
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
