# Rotor's verbs. `make` lists them; `PHP=/path/to/php make ...` chooses another PHP.
#
# The scripts in scripts/ do what takes more than a few lines; CI calls the same verbs.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Where cargo builds. Set here, so that the extension is at target/release/librotor.so whatever the environment says.
TARGET ?= $(CURDIR)/target
export CARGO_TARGET_DIR := $(TARGET)
LIBRARY := $(TARGET)/release/librotor.so
export ROTOR_EXTENSION := $(LIBRARY)

# A build takes the versions of Cargo.lock or fails; `make LOCKED= build` lets cargo update it.
LOCKED ?= --locked
export LOCKED

# How many phpt tests and models run at once.
export JOBS ?= 2
# A part of the suite that takes longer has hung: it is ended, and counts as a failure.
export PART_SECONDS ?= 1500
# Seconds that one model may take. Its preemptions are its own; ROTOR_MODEL_PREEMPTIONS=3 sets them for all.
export MODEL_SECONDS ?= 600
# Seconds of `make fuzz` for each target.
FUZZ_SECONDS ?= 120

# rustup's place, for shells that have not read its env file. Only then: another PATH has the PHP bindings built again.
ifeq ($(shell command -v cargo),)
export PATH := $(PATH):$(HOME)/.cargo/bin
endif

# Lets cargo build for the PHP that was chosen.
WITH_PHP := source scripts/php.sh;

.PHONY: help setup serve build install test lint model phpt fuzz stress chaos bench test-tools test-fresh fmt clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

serve: build ## Install what the build needs, build, and run examples/echo.php on port 9501 until Ctrl-C
	@$(WITH_PHP) exec "$$php" -n -d extension=$(LIBRARY) examples/echo.php

setup: ## Install what the build needs through apt, saying what and why; nothing when all is there
	@scripts/setup.sh build

build: setup ## Build the extension: target/release/librotor.so
	@$(WITH_PHP) cargo build --release $(LOCKED) -p rotor

# Under sudo nothing is built: cargo is the user's, and so is what it writes.
install: $(if $(SUDO_USER),,build) ## Copy the extension into PHP's extension directory and switch it on in an ini file
	@scripts/install.sh $(LIBRARY)

test: setup ## Lints, cargo tests, models, fuzz corpus and phpt; ends with: N passed, N failed
	@scripts/test.sh lint tests model phpt

lint: setup ## Format, clippy, rustdoc, PHP and shell syntax
	@scripts/test.sh lint

model: setup ## The model-checked shared-memory protocols, each in a process of its own
	@scripts/test.sh model

phpt: setup ## The PHP tests alone; PHPT=tests-php/send chooses
	@scripts/test.sh phpt

fuzz: setup ## Fuzz each target for FUZZ_SECONDS (120)
	@fuzz/run.sh $(FUZZ_SECONDS)

stress: setup ## The long proofs in their full form
	@scripts/test.sh stress

chaos: build ## CHAOS_MINUTES (1) of load under reloads, deaths and pauses; fails on what is lost; CHAOS_SEED repeats
	@$(WITH_PHP) cargo build --release $(LOCKED) -p ledger; \
		ROTOR_LEDGER=$(TARGET)/release/ledger exec "$$php" scripts/chaos.php

bench: build ## Echo through Rotor beside a raw epoll echo: the numbers and the picture of the README; slow clients beside fast
	@$(WITH_PHP) PHP="$$php" cargo run --release $(LOCKED) -p rotor-benches --bin bench

test-tools: ## Install the tools that single tests use (redis-cli, valgrind, strace, ...)
	@scripts/setup.sh tools

test-fresh: ## Root only: `make serve` and `make test` in a fresh Debian 12 with git, curl, make and Rust
	@scripts/setup.sh debootstrap
	@scripts/test-fresh.sh

fmt: ## Format all Rust code
	cargo fmt --all
	cargo fmt --manifest-path fuzz/Cargo.toml

clean: ## Remove what was built
	cargo clean
	rm -rf fuzz/target
