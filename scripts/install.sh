#!/usr/bin/env bash
# Copies the built extension to where PHP looks for it, and switches it on in an ini file. DESTDIR is honoured.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/php.sh

library=$1
[[ -f $library ]] || { echo "install: $library is not there: run make build first" >&2; exit 1; }

extensions=$("$php_config" --extension-dir)
install -D -m 644 "$library" "${DESTDIR:-}$extensions/rotor.so"
echo "installed $extensions/rotor.so"

scanned=$("$php" -n -r 'echo PHP_CONFIG_FILE_SCAN_DIR;')
if [[ -z $scanned ]]; then
    echo "this PHP reads no directory of ini files: add the line extension=rotor to its php.ini"
    exit
fi
ini=$scanned/30-rotor.ini
if [[ -e ${DESTDIR:-}$ini ]]; then
    echo "kept $ini"
else
    install -D -m 644 /dev/stdin "${DESTDIR:-}$ini" <<<'extension=rotor'
    echo "installed $ini"
fi
[[ -n ${DESTDIR:-} ]] || "$php" --ri rotor >/dev/null
