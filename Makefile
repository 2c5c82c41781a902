# make run    the workbench (without a terminal: the demo)      make test   every test
# make check  lint, types, import contracts, bandit              make test-real   tests on real handwriting
# make audit  known vulnerabilities of the installed packages, by pip-audit; it needs PyPI
# make test-onnx-data   inspection of all models in the test data of the onnx package
# make test-faults     kills, limits, and many more damaged files for each reader than make test tries
# make screenshots   the images of the README, from the running workbench

PYTHON ?= python3
BIN := .venv/bin
EXTRAS := sample,tensorboard,wandb,codecarbon,search,serve,zoo

.PHONY: run test test-real test-onnx-data test-faults check audit screenshots clean

run: .venv/run
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/kanji-tui; else $(BIN)/kanji-tui demo; fi

# Two cores: a third worker works while others wait for terminals and processes.
test: .venv/test
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

test-real: .venv/test
	@test -n "$(KANJI_TUI_TEST_DATA)" || { echo "name the folder: make test-real KANJI_TUI_TEST_DATA=DIR" >&2; exit 2; }
	KANJI_TUI_TEST_DATA="$(abspath $(KANJI_TUI_TEST_DATA))" $(BIN)/pytest -m real -s

test-onnx-data: .venv/test
	$(BIN)/pytest -m onnx_data tests/inspection

test-faults: .venv/test
	$(BIN)/pytest -m faults -n 2 --dist worksteal

check: .venv/lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive kanji_tui
	@if command -v npx > /dev/null; then npx --yes --package typescript@5.9.3 tsc -p tests/web/tsconfig.json; \
	else echo "SKIPPED: the types of the web page's JavaScript: Node is not installed" >&2; fi

audit: .venv/audit
	$(BIN)/python scripts/audit.py

screenshots: .venv/test
	test -d demo || $(BIN)/kanji-tui demo
	$(BIN)/python scripts/screenshots.py demo

.venv/run: pyproject.toml constraints.txt
	$(PYTHON) scripts/check_python.py
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	$(BIN)/python -m pip install --constraint constraints.txt --editable ".[sample]"
	@touch $@

.venv/test: .venv/run
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[$(EXTRAS)]" --group test
	@touch $@

.venv/audit: .venv/test
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group audit
	@touch $@

.venv/lint: .venv/test
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --group lint
	@touch $@

clean:
	rm -rf .venv
