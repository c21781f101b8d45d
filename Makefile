# Everything a fresh clone needs: Python 3.11 to 3.13, a C++20 compiler (GCC 12 or Clang 16 and later) and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PEER := build/peer/bin/python
PIP := $(BIN)/pip --disable-pip-version-check
SOURCES := pyproject.toml constraints.txt CMakeLists.txt web/package-lock.json $(shell find cpp -type f 2>/dev/null)

.PHONY: setup setup-all web demo test tutorials test-all lint types contracts check docs bench sanitize clean

setup: .setup-stamp  ## core, modelling and report
setup-all: .setup-stamp-all  ## and what tests and linters need

$(BIN)/python:
	$(PYTHON) -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))" || { echo "Isthmus needs Python 3.11, 3.12 or 3.13; choose one with: make PYTHON=python3.12 ..."; exit 2; }
	$(PYTHON) -m venv $(VENV)

.setup-stamp: $(BIN)/python $(SOURCES)
	$(PIP) install --quiet -c constraints.txt -e ".[ml]"
	$(BIN)/python web/vendor.py
	touch $@

.setup-stamp-all: $(BIN)/python $(SOURCES)
	$(PIP) install --quiet -c constraints.txt -e ".[ml,catboost,survival,deep,pathology,web,cluster,test,docs,lint]"
	$(BIN)/python web/vendor.py --tools
	touch .setup-stamp $@

web: $(BIN)/python  ## the viewer of `isthmus app`, from npm into the package
	$(BIN)/python web/vendor.py --tools

demo: setup  ## the main job on the embedded synthetic cohort
	$(BIN)/isthmus demo --out runs/demo

test: setup-all  ## the tests, a few minutes on two cores
	$(BIN)/python -m pytest -n 2 --dist loadfile -q -m "not slow and not tutorial"

tutorials: setup-all  ## every block of docs/tutorials, as a reader would type them
	$(BIN)/python -m pytest -n 2 -q tests/tutorials

test-all: setup-all  ## and the longer evidence runs
	$(BIN)/python -m pytest -n 2 --dist loadfile -q

lint: setup-all
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell src tests docs benchmarks README.md CONTRIBUTING.md CHANGELOG.md
	web/node_modules/.bin/tsc -p web/tsconfig.json

types: setup-all
	$(BIN)/mypy

contracts: setup-all
	$(BIN)/lint-imports

check: lint types contracts test docs

docs: setup-all  ## the docs site in build/site; every warning is an error
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs build/site

bench: setup-all $(PEER)  ## speed: the engine against PyRadiomics, which is installed for it into build/peer, the study, the report
	$(BIN)/python benchmarks/engine.py --pyradiomics $(PEER) --instructions all
	$(BIN)/python benchmarks/engine.py --pyradiomics $(PEER) --part intensities
	$(BIN)/python benchmarks/engine.py --pyradiomics $(PEER) --part shape
	$(BIN)/python benchmarks/filters.py --pyradiomics $(PEER)
	$(BIN)/python benchmarks/files.py --pyradiomics $(PEER)
	$(BIN)/python benchmarks/maps.py --pyradiomics $(PEER)
	$(BIN)/python benchmarks/memory.py --growth 7
	$(BIN)/python benchmarks/agreement.py --pyradiomics $(PEER)
	$(BIN)/python benchmarks/agreement_texture.py --pyradiomics $(PEER)
	$(BIN)/python benchmarks/heterogeneity.py --pyradiomics $(PEER)
	$(BIN)/python benchmarks/deep.py
	$(BIN)/python benchmarks/nuclei.py features $(PEER)
	$(BIN)/python benchmarks/nuclei.py slide 9
	$(BIN)/python benchmarks/statistics_speed.py
	$(BIN)/python benchmarks/study.py --study --audit 20
	$(BIN)/python benchmarks/report.py

$(PEER):
	$(PYTHON) -m venv build/peer
	build/peer/bin/pip install --quiet setuptools wheel numpy versioneer scipy scikit-image trimesh
	build/peer/bin/pip install --quiet --no-build-isolation pyradiomics==3.0.1

EXTRAS ?= ml
wheel: setup  ## dist/isthmus-*.whl for this Python and platform
	$(BIN)/python web/vendor.py --required
	$(PIP) wheel --quiet --no-deps --wheel-dir dist .

wheelhouse: setup  ## dist/isthmus-*.tar: every wheel and a script that installs without a network; EXTRAS=ml,web,deep
	$(BIN)/python packaging/wheelhouse.py --extras $(EXTRAS)

sanitize: setup-all  ## the engine's tests with address and undefined-behaviour sanitizers (GCC, Linux)
	$(PIP) install --quiet nanobind==3.1.0 cmake
	PATH="$(CURDIR)/$(BIN):$$PATH" PYTHON=$(BIN)/python benchmarks/sanitize.sh

clean:
	rm -rf build .setup-stamp .setup-stamp-all .pytest_cache .mypy_cache .ruff_cache runs
