#!/bin/sh
# Rewrites the lock files from pyproject.toml; needs uv (`pip install uv`). Versions and hashes only, no addresses.
set -eu
cd "$(dirname "$0")/.."
for extra in serve train demo dev; do
    uv pip compile pyproject.toml --extra "$extra" --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-header --no-annotate --quiet "$@" --output-file "requirements/$extra.txt"
done
uv pip compile requirements/build.in --constraint requirements/dev.txt --universal --python-version 3.11 --generate-hashes \
    --no-emit-index-url --no-header --no-annotate --quiet "$@" --output-file requirements/build.txt
