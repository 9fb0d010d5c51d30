#!/usr/bin/env bash
# Make the virtual environment FOLDER with the packages that LOCK pins, and say each step.
# usage: requirements/install.sh FOLDER LOCK [--with-beimingwu]
set -euo pipefail
folder=$1 lock=$2 with=${3:-}

say() { printf '· %s\n' "$*" >&2; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local name
    for name in "${PYTHON:-python3}" python3.11 python3.12 python3.13 python3; do
        if command -v "$name" >/dev/null && new_enough "$name"; then echo "$name"; return; fi
    done
}

install_system_packages() {
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        echo "This needs Python 3.11 or newer with venv. Install it (Debian: python3 python3-venv)," \
             "or name one: make PYTHON=/path/to/python3.12 …" >&2
        exit 1
    fi
    say "installing system packages: $*"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
}

python=$(find_python)
if [ -z "$python" ] || ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    install_system_packages python3 python3-venv
    python=$(find_python)
fi
[ -n "$python" ] || { echo "No Python 3.11 or newer was found. Name one: make PYTHON=/path/to/python3.12 …" >&2; exit 1; }

# The walls around a learnware's code. Where it cannot be installed, `beimingwu doctor` says how.
if [ "$(uname)" = Linux ] && ! command -v bwrap >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        install_system_packages bubblewrap
    else
        say "bubblewrap is not installed; learnwares run inside it (Debian: apt-get install bubblewrap)"
    fi
fi

# What the tests look at the pages with; without it they are skipped.
if [ "$lock" = requirements/test.txt ] && ! command -v chromium >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        install_system_packages chromium
    else
        say "chromium is not installed; the tests of the pages are skipped (Debian: apt-get install chromium)"
    fi
fi

if ! [ -x "$folder/bin/python" ]; then
    say "making the virtual environment $folder ($("$python" --version))"
    "$python" -m venv "$folder"
fi
say "installing the packages of $lock"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$lock"
if [ "$with" = --with-beimingwu ]; then
    say "installing Beimingwu itself, editable"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
fi
