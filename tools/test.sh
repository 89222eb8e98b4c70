#!/bin/sh
# All tests, in parts beside each other (tools/run_tests.py). With arguments, one pytest run with just these.
set -u
python="$1"
shift
[ $# -gt 0 ] && exec "$python" -m pytest "$@"
exec "$python" -m tools.run_tests
