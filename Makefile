PYTHON ?= python3
BIN := .venv/bin
WHEEL_SOURCES := setup.py requirements.txt README.md LICENSE $(shell find azext_amlk8s -name '*.py' -o -name '*.json' -o -name '*.yaml')

.PHONY: demo test contract faults fuzz mutation audit lint matrix docs bench wheel sandbox sandbox-down venv clean

demo: venv dist/.built
	$(BIN)/python -m tools.demo

test: venv dist/.built
	rm -rf .traffic
	$(BIN)/python -m pytest $(PYTEST_ARGS)

contract: venv dist/.built
	$(BIN)/python -m tools.contract

faults: venv
	$(BIN)/python -m tests.faults.matrix --log .faults.jsonl --report tests/faults/results.json $(FAULTS_ARGS)

fuzz: venv
	$(BIN)/python -m tests.fuzz.run --report tests/fuzz/results.json $(FUZZ_ARGS)

mutation: venv
	$(BIN)/python -m tools.mutation $(MUTATION_ARGS)

audit: venv
	$(BIN)/python -m tools.audit $(AUDIT_ARGS)

lint: venv
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/pylint --rcfile= --disable=all --enable=cyclic-import azext_amlk8s
	$(BIN)/python -m tools.azdev_lint

matrix: venv dist/.built
	$(BIN)/python -m tools.matrix

docs: venv dist/.built
	$(BIN)/python -m tools.docs
	$(BIN)/python -m tools.picture

bench: venv dist/.built
	for name in commands settings instance_types check lint fleet; do echo "$$name:"; $(BIN)/python -m benchmarks.$$name || exit 1; done

wheel: venv dist/.built
	$(BIN)/python -m tools.prove_wheel

sandbox: venv dist/.built
	@$(BIN)/python -m tools.rehearsal

sandbox-down: venv
	@$(BIN)/python -m sandbox down

venv: .venv/.ready

.venv/.ready: requirements.txt requirements-test.txt requirements-dev.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet -r requirements-dev.txt
	touch $@

dist/.built: .venv/.ready $(WHEEL_SOURCES)
	rm -rf build dist
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	touch $@

clean:
	rm -rf .venv build dist *.egg-info .sandbox
