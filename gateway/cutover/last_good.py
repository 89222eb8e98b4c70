"""The last version that this process decided by, kept in a file beside the database.

What it is good for: a process that starts and cannot load what is in force (an older program, no settings for a new
system) still needs trees and systems to answer reads and to learn the outcome of what was sent. It does that with this
version. It accepts and routes nothing by it, unless it is the very version in force: the versions are hashes of the
texts, and the database names the one that decides.
"""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Final

from gateway.cutover.activation import Version
from gateway.ledger.durable_files import read_limited, write_durably
from gateway.ledger.errors import Malformed

FILE: Final = "rules.last-good.json"
MAX_BYTES: Final = 512 * 1024 * 1024
"""Seven tables of at most 32 MiB, written as JSON in JSON."""
_FORMAT: Final = "last-good/v1"


def keep_last_good(data: Path, number: int, version: Version) -> None:
    """Put it in place of the one before, whole or not at all, for its owner alone. Raises OSError."""
    body = {
        "format": _FORMAT,
        "activationNumber": number,
        **version.wire(),
        "rules": version.rules,
        "governance": version.governance,
    }
    write_durably(data / FILE, json.dumps(body, ensure_ascii=False).encode(), 0o600)


def read_last_good(data: Path) -> tuple[int, Version] | None:
    """Its activation number and itself; None if there is none.

    Raises:
        Malformed: the file is not what was written: cut off, changed, or too large.
    """
    content = read_limited(data / FILE, MAX_BYTES)
    if content is None:
        return None
    try:
        body = json.loads(content)
        number = int(body["activationNumber"])
        version = Version(
            table_version=str(body["tableVersion"]),
            governance_version=str(body["governanceVersion"]),
            rules=str(body["rules"]),
            governance=str(body["governance"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise Malformed(f"{data / FILE} is not what was written: {error!r}; remove it") from error
    hashes = (sha256(version.rules.encode()).hexdigest(), sha256(version.governance.encode()).hexdigest())
    if body.get("format") != _FORMAT or hashes != (version.table_version, version.governance_version):
        raise Malformed(f"{data / FILE}: the texts do not have the hashes that it names; remove it")
    return number, version
