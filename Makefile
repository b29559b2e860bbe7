# Everything a fresh machine needs happens here: each target first makes .venv with all packages.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# What `pip install .[cli]` gives: the newest NumPy, which MONAI Label's pins keep out of .venv, and no torch.
LIGHT := .venv-light
LIGHT_READY := $(LIGHT)/.ready

.PHONY: demo test test-light test-long test-tools serve active-learning lint format clean

demo: $(READY)
	$(BIN)/python apps/vertenet/demo.py --out demo_output

# In three processes: the memory of rendered scenes comes back only when theirs ends.
test: $(READY) test-light
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --doctest-modules lib
	$(BIN)/python -m pytest --ignore tests/slicer_module
	$(BIN)/python -m pytest tests/slicer_module/mrml
	$(BIN)/python -m pytest tests/slicer_module --ignore tests/slicer_module/mrml

# The light core, the phantom and the commands that need no network, on the newest NumPy.
test-light: $(LIGHT_READY)
	PYTHONPATH=$(CURDIR)/lib $(LIGHT)/bin/python -m pytest tests/test_spine.py tests/test_radiograph.py tests/test_reading.py \
		tests/measure/test_guides.py tests/measure/test_morphometry.py tests/phantom/test_write.py \
		tests/phantom/test_generate.py tests/cli/test_light_install.py

# Everything that takes more than a minute: foreign pictures, trainings, kills, fuzzing.
test-long: $(READY)
	$(BIN)/python -m pytest -m long --timeout 7200

# What other people's programs say of our DICOM results; tests/install_tools.sh installs them, and without them it fails.
test-tools: $(READY)
	VERTENET_REQUIRE_TOOLS=1 $(BIN)/python -m pytest -m "long or not long" --timeout 3600 tests/pacs \
		tests/report/test_dicom_tools.py tests/report/test_reading_page.py tests/e2e/test_ohif.py

serve: $(READY)
	$(BIN)/vertenet serve --studies $(or $(STUDIES),sample_data) --port $(or $(PORT),8000)

# MODEL: weights that never saw SCANNER; docs/annotate.md says how they are made.
active-learning: $(READY)
	$(BIN)/python apps/vertenet/active_learning.py --model $(MODEL) --scanner $(or $(SCANNER),ge-idxa-de) \
		--out $(or $(OUT),active_learning)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# A new pip: the one that Python 3.11 brings cannot resolve MONAI Label's requirements.
$(READY): pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable ".[dev]"
	touch $(READY)

# Not editable and not installed: the tests read lib/, and a second installation would write into it.
$(LIGHT_READY): pyproject.toml
	$(PYTHON) -m venv $(LIGHT)
	$(LIGHT)/bin/python -m pip install --quiet --upgrade pip
	$(LIGHT)/bin/python -m pip install --quiet --upgrade numpy scipy pillow pydicom typer rich pytest pytest-timeout \
		hypothesis jsonschema
	touch $(LIGHT_READY)

clean:
	rm -rf $(VENV) $(LIGHT) demo_output
