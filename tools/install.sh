#!/bin/sh
# Installs from uv.lock. The lock names versions and hashes but no registry: which index serves the files is the
# machine's own setting (docs/adr/0002-lock-without-a-registry.md), the hashes say they are right.
#
#   PYTHON  the interpreter to begin with
#   VENV    the environment to make or to bring up to date
#   FOR     development (the default): every group, and this tree itself, editable;
#           running: what a running gateway needs and nothing else, not even pip. The image is made so.
#   TOOLS   with FOR=running: another environment, for what the installation itself needs
set -eu
FOR="${FOR:-development}"
TOOLS="${TOOLS:-$VENV}"
"$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "Python 3.11 or newer is needed; '$PYTHON' is $("$PYTHON" --version). Try: make PYTHON=python3.12 …" >&2
    exit 1
}
[ -x "$TOOLS/bin/python" ] || "$PYTHON" -m venv "$TOOLS"
[ -x "$VENV/bin/python" ] || "$PYTHON" -m venv --without-pip "$VENV"
uv_version=$(sed -n 's/^# uv //p' tools/uv.version)
[ -x "$TOOLS/bin/uv" ] || "$TOOLS/bin/python" -m pip install --quiet --disable-pip-version-check "uv==$uv_version"

locked() { # an environment, then which groups of the lock go into it
    environment=$1
    shift
    "$TOOLS/bin/uv" export --quiet --frozen "$@" --no-emit-project \
        --format requirements-txt --output-file "$environment/locked.txt"
    "$TOOLS/bin/uv" pip install --quiet --python "$environment/bin/python" --compile-bytecode \
        --require-hashes --requirement "$environment/locked.txt"
}

case "$FOR" in
development)
    locked "$VENV" --all-extras --all-groups
    "$TOOLS/bin/uv" pip install --quiet --python "$VENV/bin/python" --no-deps --no-build-isolation --editable .
    # Some machines keep Python from writing bytecode; every command would then compile the whole tree at its start.
    "$VENV/bin/python" -m compileall -q gateway adapters routing_rules
    ;;
running)
    locked "$TOOLS" --only-group build
    locked "$VENV" --no-default-groups
    VIRTUAL_ENV="$TOOLS" "$TOOLS/bin/uv" build --quiet --wheel --no-build-isolation \
        --python "$TOOLS/bin/python" --out-dir "$TOOLS/wheel"
    "$TOOLS/bin/uv" pip install --quiet --python "$VENV/bin/python" --compile-bytecode --no-deps "$TOOLS"/wheel/*.whl
    ;;
*)
    echo "FOR is development or running, not '$FOR'" >&2
    exit 1
    ;;
esac
