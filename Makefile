# Two commands for people: `make demo` and `make test`. The rest serves the maintainers.
SHELL := /bin/bash
BIN := .venv/bin
.PHONY: demo test check bench clean

demo:  ## install what is missing, load the synthetic demo city, serve its map (SERVE=0: do not serve)
	@deploy/setup.sh demo
	@$(BIN)/gridgis demo $(if $(filter 0,$(SERVE)),--no-serve)

test:  ## install what is missing, run the test suite on its own throw-away PostGIS
	@deploy/setup.sh test
	@$(BIN)/python -m pytest $(PYTEST)

check:  ## format, lint, types, layers, documentation
	@CHECK=1 deploy/setup.sh test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mkdocs build --strict --quiet --site-dir .site

bench:  ## ratio benchmarks, by hand
	@deploy/setup.sh bench
	$(BIN)/python benchmarks/run.py

clean:  ## stop the demo's database and remove all that the other targets made here
	-@test -x $(BIN)/gridgis && $(BIN)/gridgis db remove --yes
	rm -rf .venv .gridgis .site dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
