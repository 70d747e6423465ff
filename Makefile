# make setup   a virtual environment in .venv, with the system packages a window needs
# make demo    the main job on the sample that ships: demo/screenshot.png and demo/files/
# make quick   the tests that need no data, no screen and no training: under 3 minutes on two cores
# make test    setup, lint, then every test but the slow proofs
# make proofs  the slow proofs: kills at random moments, hundreds of random actions, wheels, large volumes
# make nnunet  the trainer for nnU-Net, with nnU-Net, in .venv-nnunet: patches compared, two short trainings
# make lint    ruff, mypy, import-linter, the plugin's manifest
# make options docs/options.md, from the options' fields
# make docs    the documentation site in site/, with what it needs; a broken link is an error
# make bench   the table of speed, benchmarks/README.md, against other packages (ARGS="--sweep", "--largest", "--compile")
# make screenshots   docs/images, by a script that uses the window as a person does (ARGS="--theme light")
# make clean   removes what the others made
#
# PYTEST_ARGS="-k fields" picks tests in quick, test and proofs; PYTEST_ARGS="-n 0 -x" runs them in one
# process until one fails. PYTHON=python3.12 picks the interpreter; PIP_ARGS goes to pip and picks a
# build of torch: see constraints.txt.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: setup demo quick test proofs nnunet lint options bench screenshots clean system

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

# One process for each core. On Linux each has a screen of its own (tests/support/screen.py); elsewhere
# windows would share one, so that tests of windows run in one process.
PYTEST := $(BIN)/python -m pytest --durations=15 --dist worksteal --maxprocesses 4 -n logical
ONE_SCREEN := $(if $(filter Linux,$(shell uname -s)),,-n 0)

quick: setup
	$(PYTEST) -m "not (data or proof or slow or window)" $(PYTEST_ARGS)

test proofs: export NAPARI_DRDM_SCREEN = required

test: setup lint
	$(PYTEST) $(ONE_SCREEN) -m "not proof" $(PYTEST_ARGS)

proofs: setup
	$(PYTEST) $(ONE_SCREEN) -m proof $(PYTEST_ARGS)

# nnU-Net brings more than a hundred packages, which nothing else here needs.
NNUNET := $(VENV)-nnunet
NNUNET_BIN := $(subst $(VENV)/,$(NNUNET)/,$(BIN))

nnunet: $(NNUNET)/.installed
	$(NNUNET_BIN)/python -m pytest tests/transforms/nnunet $(PYTEST_ARGS)

$(NNUNET)/.installed: pyproject.toml constraints.txt | system
	$(PYTHON) -m venv $(NNUNET)
	$(NNUNET_BIN)/python -m pip install $(PIP_ARGS) --constraint constraints.txt --editable ".[nnunet]" hypothesis pytest
	@touch $@

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/npe2 validate napari.yaml

options: setup
	$(BIN)/python -m src_core.cli.options_page docs/options.md

.PHONY: docs
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# The tools alone: the site reads the code and does not import it, so it needs neither torch nor napari.
$(VENV)/.docs: $(VENV)/.made pyproject.toml constraints.txt
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["docs"], sep="\n")' > $(VENV)/docs.txt
	$(BIN)/python -m pip install $(PIP_ARGS) --constraint constraints.txt --requirement $(VENV)/docs.txt
	@touch $@

# Packages for the table alone lie beside the environment and change nothing in it: it has what they need.
PEERS := $(VENV)-peers

bench: setup $(PEERS)
	$(BIN)/python -m benchmarks --write $(ARGS)

$(PEERS): | setup
	-$(BIN)/python -m pip install $(PIP_ARGS) --no-deps --target $@ \
		batchgeneratorsv2 batchgenerators fft-conv-pytorch hf-deepali antspyx

screenshots: setup
	$(SCREEN) $(BIN)/python tools/screenshots.py $(ARGS)

clean:
	rm -rf $(VENV) $(NNUNET) $(PEERS) build demo dist site ./*.egg-info
	rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
