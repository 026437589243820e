# One command each. Every target makes .venv itself and is quick the second time.

VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.installed-from-lock
TORCH := $(VENV)/.installed-torch

# What belongs to another Python, or tells pip and uv where else to install.
unexport PYTHONHOME PYTHONPATH VIRTUAL_ENV PIP_PREFIX PIP_ROOT PIP_TARGET UV_PYTHON UV_SYSTEM_PYTHON
export PIP_USER := 0

# Any Python 3 will do to start with: tools/set_up.py finds or fetches the right one.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -I -c '' 2>/dev/null && echo "$$p" && exit; done; \
	command -v uv >/dev/null && echo uv run --quiet --no-project --python 3.13 python)

# JupyterLab refuses to run as root, as in a container, unless told.
ROOT_FLAG := $(shell [ "$$(id -u)" = 0 ] && echo --allow-root)
LAB_ARGS ?=

# What does Keras's arithmetic in the tests: tensorflow, jax or torch.
BACKEND ?= tensorflow

# Of make bench: --long, or names of cases. Of make alarms: --seeds, --backend, numbers.
BENCH_ARGS ?=
ALARM_ARGS ?=

# To add a package and keep the other versions: make lock LOCK_ARGS=
LOCK_ARGS ?= --upgrade

.PHONY: help set-up lab test quick mutants alarms bench run reference book student codealong slides \
	lock clean

help:
	@echo "make lab        open JupyterLab on the notebooks"
	@echo "make test       run every test, every notebook among them"
	@echo "make test BACKEND=jax    the same on JAX; torch: on PyTorch"
	@echo "make quick      run every test but the fits, in minutes"
	@echo "make mutants    break the lesson in many ways, and see whether the tests notice"
	@echo "make run        execute the notebooks into build/, with a report"
	@echo "make reference  make fit_outputs/reference/ anew from a full run"
	@echo "make book       the web edition, into build/book/, and an EPUB"
	@echo "make student    the notebooks without solutions, into build/, with a zip"
	@echo "make codealong  the same, with the cells left out that are typed live"
	@echo "make slides     a deck for each notebook, into build/slides/"
	@echo "make bench      measure our ways beside the textbook's; BENCH_ARGS=--long: all"
	@echo "make alarms     run each notebook with other seeds: which claims fail (hours)"
	@echo "make lock       make requirements.txt anew from requirements.in"
	@echo "make clean      delete what the targets above made, but not .venv"

# A copied or moved folder has a .venv that points to the old one.
ifneq ($(shell [ -x $(PY) ] && [ "$$(cat $(READY) 2>/dev/null)" -ef . ] && echo ours),ours)
.PHONY: $(READY)
endif

$(READY): requirements.txt
	@[ -n "$(PYTHON)" ] || { echo "This series needs Python 3.11, 3.12 or 3.13, and here is neither a Python 3 nor uv. Install one of them, or name it: make PYTHON=/path/to/python3.13"; exit 1; }
	@$(PYTHON) -I tools/set_up.py

$(TORCH): requirements-torch.txt $(READY)
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-torch.txt
	@touch $@

set-up: $(READY)
	@:

lab: $(READY)
	@$(PY) notebooks/lesson/datasets.py
	@$(PY) -m jupyterlab $(ROOT_FLAG) --ServerApp.root_dir=. \
		--LabApp.default_url=/lab/tree/notebooks/00-check-your-setup.ipynb $(LAB_ARGS)

test quick: $(READY) $(if $(filter torch,$(BACKEND)),$(TORCH))
	@KERAS_BACKEND=$(BACKEND) $(PY) -m pytest $(if $(filter quick,$@),--quick)

mutants: $(READY)
	@$(PY) tests/mutations/run.py

run: $(READY)
	@$(PY) tools/run_notebooks.py

reference: $(READY)
	@$(PY) tools/run_notebooks.py --outputs fit_outputs/reference

book: $(READY)
	@$(PY) tools/editions.py book
	@$(PY) -m sphinx -q -W --keep-going -b html build/book-source build/book
	@rm -rf build/epub
	@$(PY) -m sphinx -q -W --keep-going -b epub build/book-source build/epub
	@echo "build/book/index.html, and build/epub/compile-fit-regularise.epub"

student codealong slides: $(READY)
	@$(PY) tools/editions.py $@

bench: $(READY)
	@$(PY) benchmarks/run.py $(BENCH_ARGS)

alarms: $(READY)
	@$(PY) tests/alarms/run.py $(ALARM_ARGS)

lock: $(READY)
	@$(PY) -m pip install --quiet --disable-pip-version-check uv
	@$(PY) -m uv pip compile --quiet $(LOCK_ARGS) --universal --python-version 3.11 \
		--fork-strategy fewest --no-annotate --generate-hashes \
		--custom-compile-command "make lock" requirements.in --output-file requirements.txt

clean:
	@rm -rf build .pytest_cache .ruff_cache
