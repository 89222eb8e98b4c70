"""The schema's revisions, by the files of their steps: `versions/v0025_ended.py` is revision `v0025`.

What a process asks at every start is answered here, without Alembic: a database that is at the newest revision needs no
step, and Alembic with all steps is 12 MB of memory and a tenth of a second.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

VERSIONS: Final = Path(__file__).parent / "migrations" / "versions"


@cache
def known_revisions() -> tuple[str, ...]:
    """All, the oldest first."""
    return tuple(sorted(one.name.partition("_")[0] for one in VERSIONS.glob("v[0-9]*.py")))


def newest_revision() -> str:
    """The schema that this program needs. Raises RuntimeError where no steps are packaged."""
    if not known_revisions():
        raise RuntimeError("no migrations are packaged")
    return known_revisions()[-1]
