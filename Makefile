# Everything a fresh machine needs happens here: each target first makes .venv with all packages.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test serve active-learning lint format clean

demo: $(READY)
	$(BIN)/python apps/vertenet/demo.py --out demo_output

# In three processes: the memory of rendered scenes comes back only when theirs ends.
test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest --ignore tests/slicer_module
	$(BIN)/python -m pytest tests/slicer_module/mrml
	$(BIN)/python -m pytest tests/slicer_module --ignore tests/slicer_module/mrml

serve: $(READY)
	$(BIN)/vertenet serve --studies $(or $(STUDIES),sample_data) --port $(or $(PORT),8000)

# MODEL: weights that never saw SCANNER; docs/annotate.md says how they are made.
active-learning: $(READY)
	$(BIN)/python apps/vertenet/active_learning.py --model $(MODEL) --scanner $(or $(SCANNER),ge-idxa-de) \
		--out $(or $(OUT),active_learning)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# A new pip: the one that Python 3.11 brings cannot resolve MONAI Label's requirements.
$(READY): setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $(READY)

clean:
	rm -rf $(VENV) demo_output
