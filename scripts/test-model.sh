#!/usr/bin/env bash
# Runs one model and says how it went; its output is kept in the directory for the count.
set -uo pipefail
binary=$1 name=$2 log=$3/${2//::/-}.log
started=$SECONDS
# In the foreground: in a process group of its own it would outlive a test run that is interrupted.
if timeout --foreground -k 10 "${MODEL_SECONDS:-600}" "$binary" --exact "$name" --nocapture >"$log" 2>&1 </dev/null; then
    echo "ok      $name ($((SECONDS - started)) s)"
else
    echo "FAILED  $name ($((SECONDS - started)) s)"
    tail -n 40 "$log"
fi
