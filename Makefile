# Two commands do everything on a fresh machine: `make demo` and `make test`.
# pip's own settings are honoured, PIP_FIND_LINKS and PIP_EXTRA_INDEX_URL among them.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PROCESSES ?= 2
READY  := $(VENV)/.ready

.PHONY: demo test test-slow lint bench clean

demo: $(READY)
	$(BIN)/corpus sample build/sample --scale 0.4
	$(BIN)/corpus build manifests/quickstart.toml --out build/quickstart
	$(BIN)/corpus report build/quickstart
	$(BIN)/corpus train build/quickstart --preset tiny --dp 2 --steps 60

test: $(READY)
	$(BIN)/python -m pytest -m "not slow" -n $(PROCESSES) --dist loadfile

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# megatron-core is the independent reader of our shards; its own dependencies are not needed for that.
$(READY): pyproject.toml Makefile scripts/fetch_lid.py
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[train,dev]'
	$(BIN)/python -m pip install --quiet --no-deps megatron-core==0.16.1
	$(BIN)/python scripts/fetch_lid.py
	touch $@

clean:
	rm -rf build
