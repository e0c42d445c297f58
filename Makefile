# azcred: `make demo` shows the main job, `make test` proves all of it. See README.md.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: build check demo test test-az bench lock lock-az lock-bench header clean fmt

WORK := .work
PYTHON := $(WORK)/venv/bin/python
# Wheels, packages and lock files must not depend on who builds them.
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export NPM_CONFIG_UPDATE_NOTIFIER := false

build: dist/.stamp

check: $(WORK)/tools.stamp $(WORK)/python.stamp $(WORK)/node.stamp
	tests/check.sh

demo: $(WORK)/peers.stamp $(WORK)/examples/blob
	$(PYTHON) examples/demo.py

test: $(WORK)/test-tools.stamp check $(WORK)/peers.stamp $(WORK)/examples/blob
	tests/run.sh

# The real Azure CLI, of some 730 MB: not among `test`.
test-az: $(WORK)/az.stamp $(WORK)/peers.stamp
	$(PYTHON) -m pytest -q -p no:cacheprovider tests/python/real_az.py

# Some twelve minutes; `make bench ONLY=c,node` measures a few rows (the names are in bench/run.py).
bench: $(WORK)/bench/peers.stamp $(WORK)/bench/rust.stamp
	ONLY='$(ONLY)' $(WORK)/bench/venv/bin/python bench/run.py

header:
	cargo xtask header

fmt:
	cargo fmt --all
	cargo fmt --manifest-path bench/rust/Cargo.toml --all

# ---- what the machine must have: one clear line for what is missing
$(WORK)/tools.stamp: tests/tools.sh
	@mkdir -p $(WORK)
	@tests/tools.sh
	@touch $@

$(WORK)/test-tools.stamp: tests/tools.sh | $(WORK)/tools.stamp
	@tests/tools.sh test
	@touch $@

$(WORK)/bench-tools.stamp: tests/tools.sh | $(WORK)/tools.stamp
	@tests/tools.sh bench
	@touch $@

# ---- what the registries bring, into ignored folders; again only when a lock file changes
$(WORK)/python.stamp: tests/requirements.txt | $(WORK)/tools.stamp
	python3 -m venv $(WORK)/venv
	$(PYTHON) -m pip install --quiet --no-deps --requirement tests/requirements.txt
	@touch $@

$(WORK)/node.stamp: tests/node/package.json tests/node/package-lock.json | $(WORK)/tools.stamp
	mkdir -p $(WORK)/node
	cp tests/node/package.json tests/node/package-lock.json .npmrc $(WORK)/node/
	cd $(WORK)/node && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

$(WORK)/az.stamp: tests/requirements-az.txt | $(WORK)/tools.stamp
	python3 -m venv $(WORK)/az
	$(WORK)/az/bin/python -m pip install --quiet --no-deps --requirement tests/requirements-az.txt
	@touch $@

# The peers of the benchmarks, apart from what the tests use: each has folders of its own.
$(WORK)/bench/python.stamp: bench/requirements.txt | $(WORK)/bench-tools.stamp
	python3 -m venv $(WORK)/bench/venv
	$(WORK)/bench/venv/bin/python -m pip install --quiet --no-deps --requirement bench/requirements.txt
	@touch $@

$(WORK)/bench/node.stamp: bench/node/package.json bench/node/package-lock.json | $(WORK)/bench-tools.stamp
	mkdir -p $(WORK)/bench/node
	cp bench/node/package.json bench/node/package-lock.json .npmrc $(WORK)/bench/node/
	cd $(WORK)/bench/node && npm ci --silent --ignore-scripts --no-audit --no-fund
	@touch $@

$(WORK)/bench/rust.stamp: $(shell find bench/rust -type f) | $(WORK)/bench-tools.stamp
	cargo build --quiet --locked --release --manifest-path bench/rust/Cargo.toml --target-dir $(WORK)/bench/target
	@touch $@

# ---- what we build
SOURCES := Cargo.toml Cargo.lock LICENSE-MIT LICENSE-APACHE $(shell find agent core emulator ffi include xtask bindings \
	-type f -not -path '*/__pycache__/*' -not -path '*/tests/*' -not -name '*.so' -not -name 'LICENSE-*' \
	-not -name 'THIRD-PARTY-NOTICES.txt' 2>/dev/null)

dist/.stamp: $(SOURCES) $(WORK)/python.stamp | $(WORK)/tools.stamp
	cargo xtask dist
	@touch $@

# The artefacts, installed as a user does.
$(WORK)/peers.stamp: dist/.stamp $(WORK)/python.stamp $(WORK)/node.stamp
	$(PYTHON) -m pip install --quiet --no-index --no-deps --force-reinstall dist/python/azcred-*.whl
	cd $(WORK)/node && npm install --silent --offline --no-save --ignore-scripts --no-audit --no-fund $(CURDIR)/dist/node/azcred-*.tgz
	@touch $@

$(WORK)/bench/peers.stamp: dist/.stamp $(WORK)/bench/python.stamp $(WORK)/bench/node.stamp
	$(WORK)/bench/venv/bin/python -m pip install --quiet --no-index --no-deps --force-reinstall dist/python/azcred-*.whl
	cd $(WORK)/bench/node && npm install --silent --offline --no-save --ignore-scripts --no-audit --no-fund $(CURDIR)/dist/node/azcred-*.tgz
	@touch $@

$(WORK)/examples/blob: examples/blob/main.cpp dist/.stamp
	mkdir -p $(@D)
	$(CXX) -std=c++17 -O2 -Wall -Wextra -Wpedantic -Werror $< -o $@ \
		$$(PKG_CONFIG_PATH=dist/lib/pkgconfig pkg-config --cflags --libs azcred) -lcurl

# Takes the newest versions that tests/requirements.in and tests/node/package.json allow.
lock: $(WORK)/tools.stamp
	rm -rf $(WORK)/lock && python3 -m venv $(WORK)/lock
	$(WORK)/lock/bin/pip install --quiet --requirement tests/requirements.in
	$(WORK)/lock/bin/pip freeze > tests/requirements.txt
	cd tests/node && npm install --package-lock-only --ignore-scripts --no-audit --no-fund
	cargo update

lock-az: $(WORK)/tools.stamp
	rm -rf $(WORK)/lock && python3 -m venv $(WORK)/lock
	$(WORK)/lock/bin/pip install --quiet --requirement tests/requirements-az.in
	$(WORK)/lock/bin/pip freeze > tests/requirements-az.txt

# Takes the newest versions that bench/requirements.in, bench/node/package.json and bench/rust allow.
lock-bench: $(WORK)/tools.stamp
	rm -rf $(WORK)/lock && python3 -m venv $(WORK)/lock
	$(WORK)/lock/bin/pip install --quiet --requirement bench/requirements.in
	$(WORK)/lock/bin/pip freeze > bench/requirements.txt
	cp .npmrc bench/node/ && cd bench/node && npm install --package-lock-only --ignore-scripts --no-audit --no-fund && rm .npmrc
	cargo update --manifest-path bench/rust/Cargo.toml

clean:
	rm -rf $(WORK) dist target
