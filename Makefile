# make demo   set up, train on the embedded messages, print the accuracy, predict two sentences
# make test   the same environment with the test tools: ruff, mypy, pytest
# make docs   the same environment with the site's tools: build/docs/index.html

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test docs format clean

demo: $(VENV)/.installed
	@$(BIN)/ulmfit demo

test: $(VENV)/.installed-test
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/pytest --quiet

docs: $(VENV)/.installed-docs
	@$(BIN)/sphinx-build --fresh-env --write-all --fail-on-warning --keep-going --quiet docs build/docs
	@echo "the site is in build/docs/index.html"

format: $(VENV)/.installed-test
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

# A stamp is written only after pip has succeeded: an interrupted install is taken up again.
$(VENV)/.installed: pyproject.toml constraints.txt
	@test -x $(BIN)/pip || { echo "making $(VENV)"; $(PYTHON) -m venv --clear $(VENV); }
	@echo "installing ulmfit and what it needs (a few minutes the first time)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	@echo "installing the test tools"
	@$(PIP) -e '.[test]'
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	@echo "installing the site's tools"
	@$(PIP) -e '.[docs]'
	@touch $@

clean:
	rm -rf $(VENV) demo runs dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
