# One environment in .venv, made when it is missing or when its two inputs change.
BIN := .venv/bin
# Tests on tiny tensors gain more from a second process than from threads.
PYTEST := OMP_NUM_THREADS=1 NUMBA_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help setup train test coverage test-slow soak bench-op bench-train bench-data bench-embed bench-design lint clean
.DELETE_ON_ERROR:

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.installed  ## make the environment (.venv), nothing else

train: .venv/.installed  ## train the quick start in runs/quickstart; ARGS="key=value ..." changes it
	@$(BIN)/lifecode train experiment=quickstart $(ARGS)

test: .venv/.installed  ## the tests that are quick, at most 10 minutes on 2 cores
	@$(PYTEST) -m "not slow" $(ARGS)

coverage: .venv/.installed  ## the quick tests, and which lines of lifecode/ they leave out
	@$(BIN)/coverage erase
	@$(subst -m pytest,-m coverage run -m pytest,$(PYTEST)) -m "not slow" $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage report

test-slow: .venv/.installed  ## the slow tests, at most 45 minutes on 2 cores
	@$(PYTEST) -m slow $(ARGS)

soak: .venv/.installed  ## kill, damage and fill up tiny runs: docs/reliability.md; ARGS="kills hostile" chooses
	@$(BIN)/python -m tests.soak $(ARGS)
	@OMP_NUM_THREADS=2 $(BIN)/python -m tests.programs.forks

bench-op: .venv/.installed  ## time the gated delta rule beside others: docs/performance.md; ARGS="repeats=3" changes it
	@$(BIN)/python -m benchmarks.op $(ARGS)

bench-train: .venv/.installed  ## time training steps over hybrid ratios, lengths and peers
	@$(BIN)/python -m benchmarks.train $(ARGS)

bench-data: .venv/.installed  ## time GenBank to pairs beside Biopython, the loader, preparing many copies
	@$(BIN)/python -m benchmarks.data $(ARGS)

bench-embed: .venv/.installed  ## time embedding genes beside the encoder alone and ESM-2
	@$(BIN)/python -m benchmarks.embedding.embed $(ARGS)

bench-design: .venv/.installed  ## codons of held-out genes, guessed by a model and by statistics: docs/design.md
	@$(BIN)/python -m benchmarks.design $(ARGS)

lint: .venv/.installed  ## ruff and pyright
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright

clean:  ## remove the environment, builds and caches; runs/ stays
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis
	rm -f .coverage .coverage.*
	find lifecode benchmarks tests -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.installed: pyproject.toml constraints/ci.txt
	@set -e; found=; \
	if [ ! -x $(BIN)/python ]; then \
	  for python in python3.11 python3 python3.12 python3.13; do \
	    if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	      found=$$python; break; \
	    fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "lifecode needs Python 3.11 or newer with the venv module (Debian, Ubuntu: apt install python3-venv)" >&2; \
	    exit 2; \
	  fi; \
	  echo "Making the environment in .venv with $$found; this downloads PyTorch once."; \
	  $$found -m venv .venv; \
	fi
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints/ci.txt -e ".[dev]"
	@touch $@
