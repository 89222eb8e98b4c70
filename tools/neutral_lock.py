"""Take the registry's host names out of a uv lock: `python tools/neutral_lock.py uv.lock`.

Versions, file names and hashes stay; hosts become names under `.invalid` (RFC 2606). Installing goes through
`uv export` and `--require-hashes`, which asks whatever index the machine is set to.
"""

import re
import sys
from pathlib import Path

_URL = re.compile(r'"https://[^"]*"')


def neutral(text: str) -> str:
    """Return `text` with every registry address replaced; the file's own name stays, as the lock needs it."""

    def replace(match: re.Match[str]) -> str:
        address = match.group(0).strip('"')
        name = address.rsplit("/", 1)[-1]
        return '"https://registry.invalid/simple"' if name == "simple" else f'"https://registry.invalid/{name}"'

    return _URL.sub(replace, text)


if __name__ == "__main__":
    lock = Path(sys.argv[1])
    lock.write_text(neutral(lock.read_text(encoding="utf-8")), encoding="utf-8")
