#!/bin/sh
# All tests. The contract suite waits for its peers' time limits rather than for the processor (minutes of waiting, seconds
# of work), so it runs beside the rest. With arguments, one pytest run with just these.
set -u
PYTEST="$1 -m pytest"
shift
if [ $# -gt 0 ]; then
	exec $PYTEST "$@"
fi
BESIDE=tests/contract
said=$(mktemp)
trap 'rm -f "$said"' EXIT
$PYTEST -p no:cacheprovider "$BESIDE" >"$said" 2>&1 &
beside=$!
trap 'kill "$beside" 2>/dev/null; rm -f "$said"; exit 130' INT TERM
$PYTEST --ignore="$BESIDE"
rest=$?
wait "$beside"
status=$?
echo "beside it, $BESIDE:"
cat "$said"
[ "$rest" -eq 0 ] && exit "$status"
exit "$rest"
