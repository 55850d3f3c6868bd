# One door for developers and for CI. `make demo` and `make test` do all the set-up themselves.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
DEMO ?= demo
SERVE ?= 1
PORT ?= 8000
BENCH_DATA ?=
APP := src/savor/api/device/index.html
APP_SOURCES := $(shell find web/src web/public -type f) web/build.mjs

.PHONY: help setup demo device test lint docs bench lock clean

help:  ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'

$(VENV)/python.stamp:
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"Savor needs Python 3.11, 3.12 or 3.13, and {sys.executable} is {v[0]}.{v[1]}: call make PYTHON=/path/to/python3.12")'
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/demo.stamp: requirements/demo.txt requirements/build.txt pyproject.toml $(VENV)/python.stamp
	@echo "Installing Savor and what the demo needs (versions locked in requirements/demo.txt) …"
	$(PIP) --require-hashes --no-deps -r requirements/demo.txt
	$(PIP) --require-hashes --no-deps -r requirements/build.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/dev.stamp: requirements/dev.txt requirements/build.txt pyproject.toml $(VENV)/python.stamp
	@echo "Installing Savor and what its tests need (versions locked in requirements/dev.txt) …"
	$(PIP) --require-hashes --no-deps -r requirements/dev.txt
	$(PIP) --require-hashes --no-deps -r requirements/build.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/demo.stamp

setup: $(VENV)/dev.stamp  ## install everything into .venv, versions and hashes locked

demo: $(VENV)/demo.stamp  ## a supermarket's year to live recommendations (SERVE=0 ends instead of serving)
	$(BIN)/savor demo -C $(DEMO) $(if $(filter 0,$(SERVE)),--no-serve,--port $(PORT))

device:  ## build the app at /device (needs Node.js 18 or newer, with npm)
	@command -v npm >/dev/null || { echo "The app at /device is built with Node.js 18 or newer and npm; install them and call this again." >&2; exit 1; }
	@$(MAKE) --no-print-directory $(APP)

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel=error

$(APP): web/node_modules/.package-lock.json $(APP_SOURCES)
	cd web && npm run --silent build

test: $(VENV)/dev.stamp  ## run the tests
	@command -v npm >/dev/null && $(MAKE) device || echo "The app at /device is not built: its tests are skipped."
	$(BIN)/python -m pytest -n 2 --dist loadgroup

lint: $(VENV)/dev.stamp  ## formatting, lint, strict types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/dev.stamp  ## rewrite the generated pages in docs/
	$(BIN)/python -m savor.cli.reference docs

bench: $(VENV)/demo.stamp  ## quick rows of the benchmarks (BENCH_DATA=folder) and of the server, into benchmarks/LOG.md
	$(BIN)/savor bench quality complete-journey --only ease --only own_frequency
	$(if $(BENCH_DATA),$(BIN)/savor bench quality amazon-beauty-leave-one-out --only "ease, train only" --data $(BENCH_DATA))
	$(if $(BENCH_DATA),$(BIN)/savor bench quality ml-100k --only ease --only popularity --data $(BENCH_DATA))
	$(BIN)/savor bench serve --project $(DEMO) --items 10000 --items 100000

lock:  ## rewrite the lock files from pyproject.toml (needs uv)
	requirements/lock.sh

clean:  ## remove the environment, the app and the demo
	rm -rf $(VENV) $(DEMO) $(dir $(APP)) web/node_modules
