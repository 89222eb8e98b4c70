#!/bin/sh
# Builds .venv from uv.lock. The lock names versions and hashes but no registry: which index serves the
# files is the machine's own setting (docs/adr/0002-lock-without-a-registry.md), the hashes say they are right.
set -eu
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed; '$PYTHON' is $("$PYTHON" --version). Try: make PYTHON=python3.12 …" >&2
    exit 1
}
[ -x "$VENV/bin/python" ] || "$PYTHON" -m venv "$VENV"
uv_version=$(sed -n 's/^# uv //p' tools/uv.version)
[ -x "$VENV/bin/uv" ] || "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$uv_version"
VIRTUAL_ENV="$(cd "$VENV" && pwd)"; export VIRTUAL_ENV
"$VENV/bin/uv" export --quiet --frozen --all-extras --all-groups --no-emit-project \
    --format requirements-txt --output-file "$VENV/locked.txt"
"$VENV/bin/uv" pip install --quiet --compile-bytecode --require-hashes --requirement "$VENV/locked.txt"
"$VENV/bin/uv" pip install --quiet --no-deps --no-build-isolation --editable .
# Some machines keep Python from writing bytecode; every command would then compile the whole tree at its start.
"$VENV/bin/python" -m compileall -q gateway adapters routing_rules
