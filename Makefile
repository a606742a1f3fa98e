# `make demo` codes a published encounter; `make test` runs every check. Both set themselves up.
PYTHON ?= python3
VENV ?= .venv
PYTHONS ?= python3.11 python3.12 python3.13 python3.14
BIN := $(VENV)/bin
SOURCES := pyproject.toml constraints.txt $(shell find core server prompts -type f -not -name '*.pyc' 2>/dev/null)

.PHONY: demo test lint bench snapshots docs pythons prove mutate clean

demo: $(VENV)/.run
	@$(BIN)/ivcoder demo

test: lint
	$(BIN)/pytest -n auto -q

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

snapshots: $(VENV)/.dev
	$(BIN)/pytest -n auto -q --snapshot-update

docs: $(VENV)/.dev
	$(BIN)/python -m ivcoder.server.pages docs

# The same answers, byte for byte, on every Python at hand: make pythons PYTHONS="python3.12 /path/to/python3.13"
pythons:
	@for python in $(PYTHONS); do \
	  $$python -c '' 2>/dev/null || { echo "$$python: not at hand"; continue; }; \
	  place=$(VENV)/pythons/$$(basename $$python)-$$($$python -c 'import sys; print(sys.hexversion)'); \
	  $$python -m venv $$place && $$place/bin/pip install --quiet --disable-pip-version-check -c constraints.txt . || exit 1; \
	  echo "$$($$place/bin/python --version): $$(PYTHONPATH=tests $$place/bin/python tests/digest.py)"; \
	done

# The small world: a quarter of a million encounters, every invariant, every answer as frozen in snapshots/prove.
# make prove UPDATE=1 freezes the answers anew; make prove AGAINST=HEAD prints what that revision answers otherwise.
prove: $(VENV)/.dev
	PYTHONPATH=tests $(BIN)/python -m prove $(if $(UPDATE),--update) $(if $(AGAINST),--against $(AGAINST))

# Every small change of the core and its tables that no test notices, in a copy: an hour or more on two cores. Interrupted,
# it goes on where it stopped; docs/mutation.md says what the last run left.
mutate: $(VENV)/.mutate
	test -f build/mutate/session.sqlite || { rm -rf build/mutate && mkdir -p build/mutate && cp -r core build/mutate/ivcoder && \
	  cp -r server prompts build/mutate/ivcoder && cp -r tests benchmarks examples snapshots pyproject.toml build/mutate; }
	cd build/mutate && export PATH="$(abspath $(BIN)):$$PATH" PYTHONPATH=. PYTHONDONTWRITEBYTECODE=1 && \
	  { test -f session.sqlite || { cosmic-ray baseline tests/mutate/cosmic-ray.toml && \
	    cosmic-ray init tests/mutate/cosmic-ray.toml session.sqlite && \
	    cr-filter-operators session.sqlite tests/mutate/cosmic-ray.toml; }; } && \
	  python tests/mutate/inplace.py session.sqlite && cosmic-ray exec tests/mutate/cosmic-ray.toml session.sqlite && \
	  python tests/mutate/report.py session.sqlite && python tests/mutate/tables.py

clean:
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.pip:
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "ivcoder needs Python 3.11 or newer"'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	@touch $@

$(VENV)/.run: $(VENV)/.pip $(SOURCES)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt .
	@touch $@

# A strict editable install links files one by one, so that mypy sees them; a new file asks for it again.
$(VENV)/.dev: $(VENV)/.pip $(SOURCES)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --group dev \
	  --config-settings editable_mode=strict -e .
	@touch $(VENV)/.run $@

$(VENV)/.mutate: $(VENV)/.dev
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --group mutate
	@touch $@
