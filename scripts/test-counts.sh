# shellcheck shell=bash
# Sourced by test.sh: the sums over all parts, and how each kind of output is counted.

passed=0
failed=0
skipped=0
failures=()
skips=()

count() { # passed, failed, skipped, [what to say of it]
    ((passed += $1, failed += $2, skipped += $3))
    if (($2)); then failures+=("$4"); elif (($3)); then skips+=("$4"); fi
}

# What a program that exited with a failure and counted none, or that ran nothing, adds.
count_silence() { # log, exit code, passed, failed, skipped
    if (($2 && !$4)); then
        count 0 1 0 "$(basename "$1" .log): ended with exit code $2 without counting a failure, see $1"
    elif (($3 + $4 + $5 == 0)); then
        count 0 1 0 "$(basename "$1" .log): ran nothing, see $1"
    fi
}

# Sums the `test result:` lines. A test binary that was announced (`Running ...`) and gave no result has died. The line
# is searched for anywhere, since a forked child may have printed before it.
count_cargo() { # log, exit code
    local ok bad ignored died name
    read -r ok bad ignored died < <(awk '
        /^ +(Running|Doc-tests) / { binaries++ }
        match($0, /test result: (ok|FAILED)\. [0-9]+ passed; [0-9]+ failed; [0-9]+ ignored/) {
            results++
            split(substr($0, RSTART, RLENGTH), word, " ")
            ok += word[4]; bad += word[6]; ignored += word[8]
        }
        END { print ok + 0, bad + 0, ignored + 0, (binaries > results ? binaries - results : 0) }' "$1")
    name=$(basename "$1" .log)
    count "$ok" 0 0
    ((!bad)) || count 0 "$bad" 0 "$name: $(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' "$1" | sort -u | paste -sd ' ')"
    ((!ignored)) || count 0 0 "$ignored" "$name: $(sed -n 's/^test \(.*\) \.\.\. ignored.*/\1/p' "$1" | sort -u | paste -sd ' ')"
    ((!died)) || count 0 "$died" 0 "$name: $died test programs died, see $1"
    count_silence "$1" "$2" "$ok" $((bad + died)) "$ignored"
}

count_model() { # name, log
    if grep -q '^test result: ok\. 1 passed' "$2"; then
        count 1 0 0
    elif grep -q '^test result: ok\. 0 passed; 0 failed; 1 ignored' "$2"; then
        count 0 0 1 "models: $1"
    else
        count 0 1 0 "models: $1, see $2"
    fi
}

# Reads the summary of run-tests.php. Warned, leaked, borked and expected failures are failures here; a test of the
# total that is in no row has got lost, and counts as one too.
count_phpt() { # log, exit code
    local total ok skip bad name
    read -r total ok skip bad < <(awk -F ' *: *' '
        /^Number of tests *:/ { total = $2 + 0 }
        /^Tests passed *:/ { ok = $2 + 0 }
        /^Tests skipped *:/ { skip = $2 + 0 }
        /^(Tests (failed|warned|leaked|borked)|Expected fail) *:/ { bad += $2 }
        END { print total + 0, ok + 0, skip + 0, bad + 0 }' "$1")
    name=$(basename "$1" .log)
    ((total - ok - skip <= bad)) || bad=$((total - ok - skip))
    count "$ok" 0 0
    ((!bad)) || count 0 "$bad" 0 "$name:
$(sed -nE 's/^(FAIL|WARN|LEAK|BORK|XFAIL)[A-Z&]* (.* \[.*\.phpt\].*)/      \2/p' "$1" | sort -u)"
    ((!skip)) || count 0 0 "$skip" "$name:
$(sed -nE 's/^SKIP (.*)/      \1/p' "$1" | sort -u)"
    count_silence "$1" "$2" "$ok" "$bad" "$skip"
}

# Nothing may be left of the tests: no file in their directory, no process that holds one open or works there.
count_leftovers() { # name, directory
    local directory pid link held=()
    directory=$(realpath "$2")
    for pid in /proc/[0-9]*; do
        for link in "$pid"/cwd "$pid"/fd/*; do
            link=$(readlink "$link" 2>/dev/null) || continue
            if [[ $link == "$directory"* ]]; then
                held+=("${pid#/proc/}")
                break
            fi
        done
    done
    if ((${#held[@]})); then
        count 0 1 0 "$1: left processes running: ${held[*]} ($(tr '\0' ' ' <"/proc/${held[0]}/cmdline" 2>/dev/null | sed 's/ *$//'))"
        kill -KILL "${held[@]}" 2>/dev/null
    fi
    link=$(find "$directory" -mindepth 1 -printf '%P ')
    [[ -z $link ]] || count 0 1 0 "$1: left files behind: $link"
}

summary() {
    local line code=0
    printf '\n'
    ((!${#failures[@]})) || printf 'failed: %s\n' "${failures[@]}"
    ((!${#skips[@]})) || printf 'skipped: %s\n' "${skips[@]}"
    if ((failed)); then
        code=1
    elif ((!passed)); then
        echo 'nothing ran'
        code=1
    elif ((skipped)) && [[ ${CI:-} == true ]]; then
        echo 'a skip is a failure with CI=true'
        code=1
    fi
    line="$passed passed, $failed failed"
    ((!skipped)) || line+=", $skipped skipped"
    echo "$line"
    exit "$code"
}
