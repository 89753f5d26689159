# Each target sets up what it needs: `make reproduce` works on a fresh clone.
SHELL := /bin/sh
.DEFAULT_GOAL := help

# The first Python that the locked packages support; PYTHON=... picks another.
SUPPORTED := 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))'
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c $(SUPPORTED) 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip --disable-pip-version-check
MADE := $(VENV)/.made-by-make
READY := $(VENV)/.ready
PORT ?= 5000
SEEDS ?= range(100,120)
TRACKING_URI ?=
ALIAS ?= champion
# NAME=... picks a registered model; without it, the only one that has a champion.
MODEL = $(if $(NAME),--model '$(NAME)@$(ALIAS)')
# Sweeps of the atlas, ~ for a space: Fashion-MNIST where ROOT names its folder or Keras has it in
# its cache, a table where TABLE names one (LABEL its label column, TABLE_KEYS further keys).
FASHION := $(if $(ROOT),data.root=$(ROOT),$(if $(wildcard $(HOME)/.keras/datasets/fashion-mnist/*),data.root=null))
# The study's collection, and which of its sets.
SUITE ?= keel
SETS ?=
STUDY_DATA = $(if $(filter keel,$(SUITE)),$(PY) -m src.fetch keel)
STUDY = suite=$(SUITE) tracking.experiment=$(STUDY_OF) $(if $(FULL),study=full) $(if $(SETS),$(if $(filter climb,$(SUITE)),data.id,data.name)=$(SETS))
# Asked for the time once, when it is needed.
STUDY_DIR = $(eval STUDY_DIR := multirun/$(shell date +%Y-%m-%d/%H-%M-%S)-study)$(STUDY_DIR)
STUDY_OF = study$(if $(filter climb,$(SUITE)),-climb)$(if $(FULL),-full)
LABEL ?= -1
# Words on where a sweep's jobs run, such as hydra/launcher=serial or hydra.launcher.n_jobs=8.
AT_ONCE ?=
BY_CLASS := loss=focal~loss.alpha=[0.25,0.75]
ATLAS_SWEEPS = +experiment=atlas_simulated +experiment=atlas_simulated~$(BY_CLASS) \
	+experiment=atlas_extreme +experiment=atlas_extreme~$(BY_CLASS) \
	+experiment=atlas_classification \
	+experiment=atlas_classification~data.flip_y=0.2~data.problem=0~training.epochs=20 \
	+experiment=atlas_digits \
	$(if $(FASHION),+experiment=atlas_fashion_mnist~$(FASHION)) \
	$(if $(TABLE),+experiment=atlas_table~data.path=$(TABLE)~data.label=$(LABEL)$(addprefix ~,$(TABLE_KEYS)))

.PHONY: help setup reproduce simulated digits homework fashion-mnist atlas atlas-full study study-full sweep reproduce-all fetch notebook ui screenshots serve bench bench-serving coverage test lint format test-backends lock lock-cluster lock-backends cluster clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | \
		awk -F ':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: $(READY)  ## create the environment in .venv from the lock file

# An environment that make has not made, or one behind a link, is used where it has all that the lock
# file names, and is never changed.
FOREIGN = [ -L '$(VENV)' ] || { [ -e '$(VENV)' ] && [ ! -e '$(MADE)' ] && [ ! -e '$(READY)' ]; }
FITS = '$(VENV)/bin/uv' pip install --quiet --offline --dry-run --python '$(PY)' --require-hashes -r requirements.lock
# pip's own settings for uv, which reads none of them; what is set for uv already wins.
UV_SETTINGS = eval "$$($(PIP) config list | sed -n \
	-e 's/^[^=]*[.]index-url=\(.*\)/: $${UV_DEFAULT_INDEX=\1}/p' \
	-e 's/^[^=]*[.]extra-index-url=\(.*\)/: $${UV_EXTRA_INDEX_URL=\1}/p' \
	-e 's/^[^=]*[.]find-links=\(.*\)/: $${UV_FIND_LINKS=\1}/p' \
	-e 's/^[^=]*[.]cert=\(.*\)/: $${SSL_CERT_FILE=\1}/p')"; \
	export UV_DEFAULT_INDEX UV_EXTRA_INDEX_URL UV_FIND_LINKS SSL_CERT_FILE
# uv from the PATH, or the one that the lock file names; empty where it cannot be had.
FIND_UV = $$(command -v uv || { awk '/^uv==/ {on = 1} on {print} on && !/\\$$/ {exit}' requirements.lock | \
	$(PIP) install --quiet --require-hashes -r /dev/stdin >&2 && echo '$(VENV)/bin/uv'; })

# `python -m src.compare` and `imbalance-lab compare` work in any folder.
FROM_ANYWHERE = for place in '$(VENV)'/lib/python3*/site-packages; do \
	echo '$(CURDIR)' > "$$place/imbalance-lab.pth"; done; \
	printf '\#!/bin/sh\nexec "%s" "%s/src/__main__.py" "$$@"\n' "$$(cd '$(VENV)/bin' && pwd)/python" '$(CURDIR)' > '$(VENV)/bin/imbalance-lab'; \
	chmod +x '$(VENV)/bin/imbalance-lab'

$(READY): requirements.lock
	@if $(FOREIGN); then \
		$(FITS) 2>/dev/null && exit 0; \
		echo "Error: $(VENV) is a link, or was not made by make, and lacks packages of requirements.lock; it is left \
	as it is. Remove it, or name another folder with make VENV=other" >&2; exit 2; \
	fi; \
	test -n "$(PYTHON)" || { echo "Error: needs Python 3.11, 3.12 or 3.13 on the PATH; \
	python3 here is $$(python3 --version 2>&1). Name one with make PYTHON=/path/to/python3.12" >&2; exit 2; }; \
	echo "Setting up $(VENV) from requirements.lock (3.4 GB on disk; a minute or two, once)"; \
	mkdir -p '$(VENV)' && touch '$(MADE)' && $(PYTHON) -m venv '$(VENV)' || exit; \
	$(UV_SETTINGS); uv=$(FIND_UV); \
	[ -n "$$uv" ] && "$$uv" pip sync --quiet --compile-bytecode --index-strategy unsafe-best-match \
		--python '$(PY)' --require-hashes requirements.lock || \
	$(PIP) install --quiet --compile --require-hashes -r requirements.lock || exit; \
	$(FROM_ANYWHERE); touch '$(READY)'

# One sweep and one process, so that TensorFlow and MLflow are imported once for all of it.
reproduce: $(READY)  ## does focal loss beat cross-entropy, each at its best? ten seeds, simulated data and digits
	$(PY) train.py -m $(AT_ONCE) +experiment=homework data=simulated,digits

simulated: $(READY)  ## cross-entropy against focal loss on simulated data, ten seeds
	$(PY) train.py -m $(AT_ONCE) +experiment=homework

digits: $(READY)  ## the same on handwritten digits made imbalanced
	$(PY) train.py -m $(AT_ONCE) +experiment=digits

homework: $(READY)  ## the lesson's homework: seeds 0-9, then twenty fresh ones; exit status 0 on PASS, 1 on FAIL
	@echo "Seeds 0 to 9, on which the settings of the homework were chosen:"
	$(PY) train.py -m $(AT_ONCE) +experiment=homework compare=false 'seed=range(0,10)'
	@$(PY) -m src.compare --homework
	@echo "Seeds $(SEEDS), never used while choosing (SEEDS=... for others):"
	$(PY) train.py -m $(AT_ONCE) +experiment=homework compare=false 'seed=$(SEEDS)' 'tuning.chosen_on=[0,1,2,3,4,5,6,7,8,9]'
	@$(PY) -m src.compare --homework --strict

fashion-mnist: $(READY)  ## focal loss on Fashion-MNIST, balanced and long tail: says first how long (ROOT=folder reads the files there)
	$(PY) train.py -m $(AT_ONCE) +experiment=fashion_mnist $(if $(ROOT),data.root=$(ROOT))

atlas: $(READY)  ## where focal loss helps, each loss at its best: problems by budget (ROOT=, TABLE= add data); stops and goes on
	@set -e; $(foreach sweep,$(ATLAS_SWEEPS),$(PY) train.py -m $(AT_ONCE) $(subst ~, ,$(sweep)) $(ATLAS);)
	@$(PY) -m src.atlas

atlas-full: atlas  ## the atlas over more losses, budgets, capacities and seeds; says first how long it takes
	@$(PY) -m src.forecast $(foreach sweep,$(ATLAS_SWEEPS),'$(subst ~, ,$(sweep)) atlas=full $(ATLAS)')
	@set -e; $(foreach sweep,$(ATLAS_SWEEPS),$(PY) train.py -m $(AT_ONCE) $(subst ~, ,$(sweep)) atlas=full $(ATLAS);)
	@$(PY) -m src.atlas

study: $(READY)  ## what each loss gives on real data sets: 85 of KEEL in half an hour (SUITE=climb: OpenML; SETS=a,b); stops and goes on
	@$(STUDY_DATA)
	$(if $(FULL),@[ ! -e mlruns/mlflow.db ] || $(PY) -m src.forecast '+experiment=study suite=$(SUITE)' '+experiment=study $(STUDY)')
	$(PY) train.py -m $(AT_ONCE) +experiment=study $(STUDY) hydra.sweep.dir=$(STUDY_DIR); status=$$?; \
		[ $$status -ge 128 ] || [ -z "$$(find $(STUDY_DIR) -mindepth 2 -name '*.json' -print -quit 2>/dev/null)" ] || \
		$(PY) -m src.study --experiment $(STUDY_OF) --out outputs/$(STUDY_OF); exit $$status

study-full: $(READY)  ## the study with all losses, samplings and estimators: a night; says first how long
	@$(MAKE) --no-print-directory study FULL=yes

sweep: $(READY)  ## the sweep of the README: cross-entropy and focal loss at gamma 0, 1, 2
	$(PY) train.py -m loss=ce,focal loss.gamma=0,1,2

reproduce-all: $(READY)  ## execute the runs of the last sweep again, compare bit for bit (SWEEP=id for another)
	$(PY) -m src.reproduce --sweep $(SWEEP)

fetch: $(READY)  ## fetch the KEEL collection once: a hundred imbalanced tables, for data=keel
	@$(PY) -m src.fetch keel

notebook: $(READY)  ## run the lesson's notebook; write docs/leccion/cuaderno.md and the notebook without solutions
	$(PY) -m tests.notebook.lesson

ui: $(READY)  ## open the MLflow UI on http://127.0.0.1:5000 (PORT=... for another port)
	@$(PY) -m src.ui --port $(PORT) $(if $(TRACKING_URI),--uri $(TRACKING_URI))

screenshots: $(READY)  ## draw the pictures of the README: the answer, a small sweep, its report, the MLflow UI (needs chromium)
	$(PY) -m tests.browser.screenshots

serve: $(READY)  ## answer requests with the champion on http://127.0.0.1:5001 (NAME=... ALIAS=... PORT=...)
	@$(PY) -m src.serve $(MODEL) --port $(if $(filter file,$(origin PORT)),5001,$(PORT))

bench: $(READY)  ## measure speed and memory, write docs/performance.md (BENCH='--only NAME' for one)
	$(PY) -m benchmarks $(BENCH)

bench-serving: $(READY)  ## requests a second and latencies of the served champion (NAME=... ALIAS=...)
	@$(PY) -m benchmarks.serving $(MODEL)

coverage: $(READY)  ## how often intervals hold the truth: train, write docs/coverage.md (COVERAGE='--tables N'); goes on
	$(PY) -m benchmarks.coverage.by_split
	$(PY) -m benchmarks.coverage $(COVERAGE)

test: $(READY)  ## run every test, two or more at once
	$(PY) -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

test-backends: $(READY)  ## install JAX from requirements-backends.lock, hold the components against it
	$(PIP) install --quiet --require-hashes -r requirements-backends.lock
	$(PY) -m pytest tests/components/test_backends.py

lint: $(READY)  ## check style and types
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy

format: $(READY)  ## format the code
	$(VENV)/bin/ruff check --fix . && $(VENV)/bin/ruff format .

lock: $(READY)  ## solve pyproject.toml anew into requirements.lock
	$(VENV)/bin/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate --custom-compile-command 'make lock' --quiet -o requirements.lock

lock-cluster: $(READY)  ## solve the extra `cluster` (Slurm, Ray, PostgreSQL) into requirements-cluster.lock
	$(VENV)/bin/uv pip compile pyproject.toml --extra cluster --constraint requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate --custom-compile-command 'make lock-cluster' --quiet -o requirements-cluster.lock

lock-backends: $(READY)  ## solve the extra `backends` (JAX) into requirements-backends.lock
	$(VENV)/bin/uv pip compile pyproject.toml --extra backends --constraint requirements.lock --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-annotate --custom-compile-command 'make lock-backends' --quiet -o requirements-backends.lock

cluster: $(READY)  ## install what hydra/launcher=submitit_slurm, hydra/launcher=ray and PostgreSQL need
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-cluster.lock

clean:  ## remove the environment that make made, and caches; runs stay
	@$(FOREIGN) || rm -rf '$(VENV)'
	rm -rf .pytest_cache .mypy_cache .ruff_cache .hypothesis
