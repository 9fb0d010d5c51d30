# Everything a newcomer needs: `make demo` and `make test` set up all they need and say what they do.

SHELL := /bin/bash
VENV := .venv
PY := $(VENV)/bin/python
ENGINE := .venv-engine
PAGES := src/beimingwu/server/static/index.html
# Arrays here are small: one thread each is faster than two that fight, and gives the same figures.
export OMP_NUM_THREADS ?= 1

.PHONY: demo demo-all test web lint bench engine lock clean help

help: ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

demo: $(VENV)/demo.stamp $(PAGES) ## the whole paradigm on real data, in a dock of its own
	$(VENV)/bin/beimingwu demo

demo-all: $(VENV)/demo.stamp ## the same with every station held out in turn
	$(VENV)/bin/beimingwu demo --all

test: $(VENV)/test.stamp $(ENGINE)/engine.stamp $(PAGES) ## every test
	requirements/web.sh test
	$(PY) -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile

web: $(PAGES) ## the pages for browsers, into the package

lint: $(VENV)/test.stamp $(PAGES) ## format, style, types, import directions
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	requirements/web.sh check

bench: $(VENV)/test.stamp $(ENGINE)/engine.stamp $(PAGES) ## every benchmark, beside the public engine
	$(PY) benchmarks/startup.py
	$(PY) benchmarks/reduction.py
	$(PY) benchmarks/search.py --n 100000 --folder build/docks
	$(PY) benchmarks/mixture.py --folder build/docks
	$(PY) benchmarks/search_incremental.py --folder build/docks
	$(PY) benchmarks/scores.py
	$(PY) benchmarks/search_text.py --n 100000
	$(PY) benchmarks/environments.py
	$(PY) benchmarks/runtime.py
	$(PY) benchmarks/service.py --folder build/docks
	$(PY) benchmarks/pages.py --folder build/docks
	$(PY) benchmarks/specify_browser.py

engine: $(ENGINE)/engine.stamp ## the public engine in an environment of its own, for parity and benchmarks

lock: ## resolve pyproject.toml again and rewrite requirements/*.txt
	requirements/lock.sh

clean: ## remove the environments and everything built
	rm -rf $(VENV) $(ENGINE) $(dir $(PAGES)) web/node_modules dist build .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(PAGES): $(shell find web/src web/simd web/public web/*.ts web/*.json web/index.html -type f -not -name openapi.json) | $(VENV)/demo.stamp
	@requirements/web.sh build

$(VENV)/demo.stamp: requirements/demo.txt pyproject.toml
	@requirements/install.sh $(VENV) requirements/demo.txt --with-beimingwu
	@touch $@

$(VENV)/test.stamp: requirements/test.txt pyproject.toml
	@requirements/install.sh $(VENV) requirements/test.txt --with-beimingwu
	@touch $@ $(VENV)/demo.stamp

$(ENGINE)/engine.stamp: requirements/engine.txt requirements/engine-no-deps.txt requirements/engine-next.txt
	@requirements/install.sh $(ENGINE) requirements/engine.txt
	@$(ENGINE)/bin/python -m pip install --quiet --no-deps -r requirements/engine-no-deps.txt
	@$(ENGINE)/bin/python -m pip install --quiet --no-deps --upgrade --target $(ENGINE)/learnware-0.4.0 \
		-r requirements/engine-next.txt
	@touch $@
