# One command each. Every target makes .venv itself and is quick the second time.

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.installed-from-lock
TORCH := $(VENV)/.installed-torch

# The first Python on this machine that the lock has wheels for.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	"$$p" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	2>/dev/null && echo "$$p" && break; done)

# JupyterLab refuses to run as root, as in a container, unless told.
ROOT_FLAG := $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)
LAB_ARGS ?=

# What does Keras's arithmetic in the tests: tensorflow, jax or torch.
BACKEND ?= tensorflow

.PHONY: help lab test run reference lock clean

help:
	@echo "make lab        open JupyterLab on the notebooks"
	@echo "make test       run every test, every notebook among them"
	@echo "make test BACKEND=jax    the same on JAX; torch: on PyTorch"
	@echo "make run        execute the notebooks into build/, with a report"
	@echo "make reference  make fit_outputs/reference/ anew from a full run"
	@echo "make lock       make requirements.txt anew from requirements.in"
	@echo "make clean      delete what the targets above made, but not .venv"

$(READY): requirements.txt
	@[ -n "$(PYTHON)" ] || { echo "This series needs Python 3.11, 3.12 or 3.13; here is $$(python3 --version 2>/dev/null || echo no python3). Install one of them, or name it: make PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "Setting up $(VENV): once, about a minute, 2 GB"
	@$(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(TORCH): requirements-torch.txt $(READY)
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-torch.txt
	@touch $@

lab: $(READY)
	@$(PY) notebooks/lesson/datasets.py
	@$(VENV)/bin/jupyter lab $(ROOT_FLAG) --ServerApp.root_dir=. \
		--LabApp.default_url=/lab/tree/notebooks/00-check-your-setup.ipynb $(LAB_ARGS)

test: $(READY) $(if $(filter torch,$(BACKEND)),$(TORCH))
	@KERAS_BACKEND=$(BACKEND) $(PY) -m pytest

run: $(READY)
	@$(PY) tools/run_notebooks.py

reference: $(READY)
	@$(PY) tools/run_notebooks.py --outputs fit_outputs/reference

lock: $(READY)
	@$(PY) -m pip install --quiet --disable-pip-version-check uv
	@$(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
		--fork-strategy fewest --no-annotate --custom-compile-command "make lock" \
		requirements.in --output-file requirements.txt

clean:
	@rm -rf build .pytest_cache .ruff_cache
