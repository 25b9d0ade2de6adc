# make demo   set up, train on the embedded messages, print the accuracy, predict two sentences
# make test   the same environment with the test tools: ruff, mypy, pytest
# make slow   the tests that take minutes: the true demo, every page of the documentation
# make docs   the same environment with the site's tools: build/docs/index.html
# make bench  speed beside fastai, TF-IDF, MiniLM, fastText, in .venv-peers: benchmarks/results.json;
#             forty minutes of an idle machine; goes on where it stopped. ARGS="predict --quick",
#             ARGS=--plan, ARGS=--report

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
# `make test TEST_EXTRAS=test,tune,track,hub,docs` tests the extras too, as CI does.
TEST_EXTRAS ?= test
PEERS  := .venv-peers
PEERS_PIP := $(PEERS)/bin/python -m pip install --quiet --disable-pip-version-check

# Each worker takes a contiguous half of the tests, and of the other's what is left at the end.
WORKERS := --numprocesses auto --maxprocesses 8 --dist worksteal

.PHONY: demo test types tests slow docs bench format clean

demo: $(VENV)/.installed
	@$(BIN)/ulmfit demo

test: $(VENV)/.installed-$(TEST_EXTRAS)
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet .
	@$(MAKE) --no-print-directory --jobs 2 types tests

types: $(VENV)/.installed-$(TEST_EXTRAS)
	@$(BIN)/mypy --no-error-summary

tests: $(VENV)/.installed-$(TEST_EXTRAS)
	@$(BIN)/pytest --quiet $(WORKERS)

slow: $(VENV)/.installed-$(TEST_EXTRAS)
	@$(BIN)/pytest --quiet -m "slow and not gpu"

docs: $(VENV)/.installed-docs
	@$(BIN)/sphinx-build --fresh-env --write-all --fail-on-warning --keep-going --quiet docs build/docs
	@echo "the site is in build/docs/index.html"

bench: $(VENV)/.installed $(PEERS)/.installed
	@$(BIN)/python -m benchmarks $(ARGS)

format: $(VENV)/.installed-$(TEST_EXTRAS)
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

# A stamp is written only after pip has succeeded: an interrupted install is taken up again.
$(VENV)/.installed: pyproject.toml constraints.txt
	@test -x $(BIN)/pip || { echo "making $(VENV)"; $(PYTHON) -m venv --clear $(VENV); }
	@echo "installing ulmfit and what it needs (a few minutes the first time)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.installed-$(TEST_EXTRAS): $(VENV)/.installed
	@echo "installing the test tools"
	@$(PIP) -e '.[$(TEST_EXTRAS)]'
	@touch $@

$(VENV)/.installed-docs: $(VENV)/.installed
	@echo "installing the site's tools"
	@$(PIP) -e '.[docs]'
	@touch $@

# --no-deps: fastai would bring torchvision and with it a CUDA torch. fastText is compiled here
# where it has no wheel, and left out where that fails.
$(PEERS)/.installed: benchmarks/peers.txt
	@echo "installing the peers into $(PEERS) (2 GB)"
	@test -x $(PEERS)/bin/pip || $(PYTHON) -m venv --clear $(PEERS)
	@$(PEERS_PIP) torch==2.13.0
	@$(PEERS_PIP) --no-deps -r $<
	@$(PEERS_PIP) --no-deps fasttext-numpy2-wheel==0.9.2 \
		|| echo "fastText does not install here: it is left out"
	@touch $@

clean:
	rm -rf $(VENV) $(PEERS) demo runs dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
