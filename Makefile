# The README's commands. Each sets up all it needs; each works twice in a row.

# The first that runs and is new enough; a shim may be there for a version that is not.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; done)
VENV := .venv
RUN := $(VENV)/bin/python
STAMP := $(VENV)/.installed
RECORDS ?= 2000

.PHONY: demo test test-all bench leaks chaos chaos-s3 mutants classify-report lint types clean help

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

$(STAMP): setup.cfg pyproject.toml
	@test -n "$(PYTHON)" || { echo "crmlogging needs Python 3.11 or newer: PYTHON=..."; exit 1; }
	test -x $(RUN) || $(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(STAMP)  ## run a sync against local servers and print the operator's report
	$(RUN) -m crmlogging demo --records $(RECORDS)

test: lint types $(STAMP)  ## lint, types and tests
	# One worker more than processors: many a test waits for a process.
	$(RUN) -m pytest -n $$(($$(getconf _NPROCESSORS_ONLN) + 1)) --dist loadfile

lint: $(STAMP)
	$(RUN) -m ruff check .
	$(RUN) -m ruff format --check .

types: $(STAMP)
	$(RUN) -m mypy

test-all: $(STAMP)  ## the tests on every CPython 3.11-3.13 of this machine
	$(RUN) -m nox

bench: $(STAMP)  ## speed beside peers (minutes): ARGS="--quick" or ARGS="--markdown docs/performance.md"
	$(RUN) -m benchmarks $(ARGS)

leaks: $(STAMP)  ## the leak battery, with peers beside it
	$(RUN) -m tests.leaks

chaos: $(STAMP)  ## kill, fork and starve processes, count what is left, with peers beside it
	$(RUN) -m tests.chaos $(ARGS)

chaos-s3: $(STAMP)  ## S3 under faults, outages and kills, on two servers (20 minutes)
	$(RUN) -m tests.chaos.s3_faults $(ARGS)

mutants: $(STAMP)  ## mutation testing of what redacts (long); see `mutmut results`
	$(RUN) -m mutmut run --max-children 2

classify-report: $(STAMP)  ## accuracy of classify() over labelled answers: CORPUS="FILE ..."
	$(RUN) -m benchmarks.classify_report $(CORPUS)

clean:  ## remove what the targets made
	rm -rf $(VENV) .nox build dist *.egg-info .mypy_cache .ruff_cache crmlogging-demo logs mutants
