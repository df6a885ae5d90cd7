# make run    the app, on http://localhost:8501
# make test   style, types and tests, in Python, JavaScript and a real browser
# make bench  speed on this machine

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test bench clean

run: $(VENV)/run.stamp
	$(BIN)/streamlit run app.py

test: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

bench: $(VENV)/run.stamp
	$(BIN)/python -m ddeq bench

$(VENV)/run.stamp: requirements.txt packages.txt
	tools/system_packages.sh packages.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -r requirements.txt
	touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp requirements-dev.txt tests/packages.txt
	tools/system_packages.sh tests/packages.txt
	$(BIN)/python -m pip install --quiet -r requirements-dev.txt
	touch $@

clean:
	rm -rf $(VENV)
