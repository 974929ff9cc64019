# All that is done with this tree. `make` lists it.

PYTHON ?= python3
PREFIX ?= $(HOME)/.local
BIN := .venv/bin

.PHONY: help demo test faults check fix bench completions install install-completions

help:
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 16

demo: .venv/ready ## see it work: a backup fails, the daemon is killed, the cause is fixed, it goes on
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh docs/demo.sh

test: .venv/ready ## run all tests; ARGS="tests/model -x" for some
	@.ci/systemd-packages
	@.ci/browser-packages
	$(BIN)/pytest -n 4 --dist loadgroup $(ARGS)

faults: .venv/ready ## the long fault suite: hundreds of kills, at random and at each write
	$(BIN)/pytest -m "" -n 4 --dist loadgroup tests/faults tests/cron $(ARGS)

check: .venv/ready ## format, ruff, mypy, import-linter
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: .venv/ready ## let ruff format and repair what it can
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/ready ## measure tasks a second, latencies and memory
	$(BIN)/python -m tests.bench

completions: .venv/ready ## generate completions/ anew
	for shell in bash zsh fish; do $(BIN)/taskctl completion $$shell >completions/taskctl.$$shell; done

install: ## install taskd and taskctl for this user, with pipx or else below PREFIX (~/.local)
	@if command -v pipx >/dev/null; then pipx install --force .; else \
	    $(PYTHON) -m venv "$(PREFIX)/share/taskctl" && \
	    "$(PREFIX)/share/taskctl/bin/pip" install --quiet --upgrade . && \
	    mkdir -p "$(PREFIX)/bin" && \
	    ln -sf "$(PREFIX)/share/taskctl/bin/taskd" "$(PREFIX)/share/taskctl/bin/taskctl" "$(PREFIX)/bin/" && \
	    echo "installed taskd and taskctl in $(PREFIX)/bin"; fi
	@$(MAKE) --no-print-directory install-completions

BASH_COMPLETIONS := $(PREFIX)/share/bash-completion/completions
ZSH_COMPLETIONS := $(PREFIX)/share/zsh/site-functions
FISH_COMPLETIONS := $(PREFIX)/share/fish/vendor_completions.d

# Those of taskd come from the library that reads its options, as it is installed here.
install-completions: export PATH := $(PREFIX)/bin:$(PATH)
install-completions:
	@mkdir -p "$(BASH_COMPLETIONS)" "$(ZSH_COMPLETIONS)" "$(FISH_COMPLETIONS)"
	@cp completions/taskctl.bash "$(BASH_COMPLETIONS)/taskctl"
	@cp completions/taskctl.zsh "$(ZSH_COMPLETIONS)/_taskctl"
	@cp completions/taskctl.fish "$(FISH_COMPLETIONS)/taskctl.fish"
	@_TASKD_COMPLETE=bash_source taskd >"$(BASH_COMPLETIONS)/taskd"
	@_TASKD_COMPLETE=zsh_source taskd >"$(ZSH_COMPLETIONS)/_taskd"
	@_TASKD_COMPLETE=fish_source taskd >"$(FISH_COMPLETIONS)/taskd.fish"
	@echo "installed completion for new shells: bash (with the package bash-completion), fish, and"
	@echo "zsh, if its fpath has $(ZSH_COMPLETIONS)"

.venv/ready: pyproject.toml .ci/debian-packages
	@PYTHON=$(PYTHON) .ci/debian-packages
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check \
	    --config-settings editable_mode=compat --editable '.[dev]'
	@touch $@
