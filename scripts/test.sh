#!/usr/bin/env bash
# Runs the named parts of the test suite (lint, tests, model, phpt, stress) and ends with one line alone:
# `N passed, N failed`, with `, N skipped` if any were.
#
# Each lint, each model, each cargo test and each phpt counts as one. What ends without saying what it counted is one
# failure, and so is what ran nothing. Exits non-zero when anything failed or nothing ran; with CI=true a skip fails.
set -uo pipefail
cd "$(dirname "$0")/.." || exit
source scripts/php.sh
source scripts/test-counts.sh

: "${CARGO_TARGET_DIR:=$PWD/target}" "${LOCKED=--locked}" "${JOBS:=2}" "${PART_SECONDS:=1500}" "${MODEL_SECONDS:=600}"
: "${ROTOR_EXTENSION:=$CARGO_TARGET_DIR/release/librotor.so}"
export CARGO_TARGET_DIR ROTOR_EXTENSION CARGO_TERM_COLOR=never
read -ra locked <<<"$LOCKED"
logs=$CARGO_TARGET_DIR/test-logs
mkdir -p "$logs"

running=
temporary=
interrupted() {
    [[ -z $running ]] || kill -TERM "$running" 2>/dev/null # `timeout`, which passes it on to its whole group
    [[ -z $temporary ]] || rm -rf "$temporary"
    exit 130
}
trap interrupted INT TERM

# Runs a command, shows its output and keeps it in $log; the exit code is in $status.
#
# The output goes to a file that is followed: a pipe would keep us here for as long as any process holds its end.
run() { # name, command...
    log=$logs/$1.log
    printf '\n== %s\n' "$1"
    shift
    : >"$log"
    timeout -k 10 "$PART_SECONDS" "$@" >>"$log" 2>&1 </dev/null &
    running=$!
    tail -n +1 -s 0.2 -f --pid="$running" "$log" &
    local follower=$!
    wait "$running"
    status=$?
    running=
    wait "$follower" 2>/dev/null
    ((status != 124)) || echo "$log: ended after $PART_SECONDS s"
}

# A check without tests of its own: counts as one.
check() { # name, command...
    local name=$1
    run "$@"
    if ((status)); then count 0 1 0 "$name: failed, see $log"; else count 1 0 0; fi
}

# A check whose tool may be absent.
check_with() { # tool, name, command...
    if "$1" --version >/dev/null 2>&1; then
        check "${@:2}"
    else
        count 0 0 1 "$2: no $1 here (make test-tools; rustup component add clippy rustfmt)"
    fi
}

part_lint() {
    check_with cargo-fmt format cargo fmt --all --check -- --color never
    check_with cargo-fmt format-fuzz cargo fmt --manifest-path fuzz/Cargo.toml --check -- --color never
    check_with cargo-clippy clippy cargo clippy "${locked[@]}" --workspace --all-targets -- -D warnings
    check rustdoc env RUSTDOCFLAGS="${RUSTDOCFLAGS:-} -D warnings" \
        cargo doc "${locked[@]}" --workspace --no-deps --document-private-items
    check php-syntax bash -c php_syntax
    check_with shellcheck shell-syntax shellcheck -x --severity=warning .ci/run scripts/*.sh
}

cargo_tests() { # name, argument...
    run "$1" cargo test "${locked[@]}" --no-fail-fast -p rotor-sys -p rotor-ipc -p rotor-core -p ledger -p rotor-benches "${@:2}"
    count_cargo "$log" "$status"
}

part_tests() {
    cargo_tests cargo-tests
    # Among them is the replay of what fuzzing has found so far; it must not get lost unseen.
    grep -q 'Running tests/fuzz_corpus' "$log" || count 0 1 0 'fuzz-corpus: was not replayed'
}

# Each model in a process of its own: a failed model aborts, which would hide the others.
part_model() {
    local binary name names=()
    local -x CARGO_TARGET_DIR=$CARGO_TARGET_DIR/loom RUSTFLAGS="${RUSTFLAGS:-} --cfg loom"
    run models-build cargo test "${locked[@]}" --release -p rotor-ipc --test model --no-run
    binary=$(sed -n 's/.*Executable tests\/model.*(\(.*\))$/\1/p' "$log")
    if ((status)) || [[ -z $binary ]]; then
        count 0 1 0 "models: cannot be built, see $log"
        return
    fi
    mapfile -t names < <("$binary" --list --format terse 2>/dev/null | sed -n 's/: test$//p')
    ((${#names[@]})) || count 0 1 0 'models: there are none'

    mkdir -p "$logs/models"
    printf '%s\n' "${names[@]}" >"$logs/models/names"
    run models xargs -a "$logs/models/names" -r -P "$JOBS" -I '{}' scripts/test-model.sh "$binary" '{}' "$logs/models"
    for name in "${names[@]}"; do
        count_model "$name" "$logs/models/${name//::/-}.log"
    done
}

# The PHP tests see one php.ini that is written here: no setting or extension of this machine changes a result.
write_ini() { # directory
    local extension directory builtin
    directory=$("$php_config" --extension-dir)
    builtin=$("$php" -n -m)
    : >"$1/php.ini"
    for extension in posix sockets tokenizer ffi; do
        if ! grep -qix "$extension" <<<"$builtin" && [[ -f $directory/$extension.so ]]; then
            echo "extension=$extension" >>"$1/php.ini"
        fi
    done
}

phpt() { # name, file or directory...
    if [[ -z $php || -z $php_config ]]; then
        count 0 1 0 "$1: no php or php-config here"
        return
    fi
    # With it the client that many of them load their server with.
    check "$1-build" cargo build "${locked[@]}" --release -p rotor -p ledger
    if ((status)); then
        count 0 1 0 "$1: not run, there is no extension or no ledger"
        return
    fi
    # All that the tests write goes to one short path (a unix socket's may have 107 bytes), empty in the end.
    temporary=$(mktemp -d /tmp/rotor-phpt.XXXXXX)
    mkdir "$temporary/tmp" "$temporary/none"
    chmod 711 "$temporary" # workers of another user go through it
    write_ini "$temporary"
    run "$1" env NO_INTERACTION=1 TEST_PHP_EXECUTABLE="$php" TMPDIR="$temporary/tmp" \
        PHPRC="$temporary" PHP_INI_SCAN_DIR="$temporary/none" RUST_BACKTRACE=0 ROTOR_STRESS="${ROTOR_STRESS:-}" \
        ROTOR_LEDGER="$CARGO_TARGET_DIR/release/ledger" ROTOR_FIGURES="$temporary/figures" ROTOR_PORTS="$temporary/ports" \
        "$php" "$("$php_config" --prefix)/lib/php/$("$php_config" --phpapi)/build/run-tests.php" \
        -q --no-progress --no-color "-j$JOBS" --show-diff --set-timeout "$PHPT_SECONDS" \
        -d extension="$ROTOR_EXTENSION" "${@:2}"
    count_phpt "$log" "$status"
    [[ ! -s $temporary/figures ]] || printf '\n== figures\n%s\n' "$(<"$temporary/figures")"
    count_leftovers "$1" "$temporary/tmp"
    rm -rf "$temporary"
    temporary=
}

part_phpt() {
    local tests
    # What PHPT names, or all; stress/ holds what runs in `make stress` alone.
    # shellcheck disable=SC2086 # PHPT may name several
    mapfile -t tests < <(find ${PHPT:-tests-php} -name '*.phpt' -not -path 'tests-php/stress/*' | sort)
    if ((${#tests[@]})); then
        PHPT_SECONDS=300 phpt phpt "${tests[@]}"
    else
        count 0 1 0 "phpt: there is none in ${PHPT:-tests-php}"
    fi
}

# Everything again with the full forms of the long proofs, which look at ROTOR_STRESS.
part_stress() {
    local -x ROTOR_STRESS=1
    PART_SECONDS=14400
    cargo_tests stress-tests --release
    PHPT_SECONDS=7200 phpt stress-phpt tests-php
}

php_syntax() {
    local file bad=0
    while IFS= read -r -d '' file; do
        "$php" -n -l "$file" | grep -v '^No syntax errors' && bad=1
    done < <(find examples php-stubs scripts tests-php/inc -name '*.php' -print0)
    return "$bad"
}
export -f php_syntax
export php

for part in "$@"; do
    "part_$part"
done
summary
