"""`make fuzz`: thousands of cases against a gateway on two test ERPs.

Exit code 0 only if nothing was found, at least so many cases were tried, and documents were followed through every kind
of act.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.campaign import campaign, document_of
from tests.fuzz.following import follow
from tests.fuzz.target import fuzzed


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=150, help="cases that are made up of one operation, at most")
    parser.add_argument("--least", type=int, default=5_000, help="fewer cases than this is a failure")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="where report and logs go; else they are thrown away")
    given = parser.parse_args(arguments)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as directory:
        folder = given.keep or Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        with fuzzed(folder / "data") as running:
            found = campaign(running, folder, examples=given.examples, seed=given.seed)
            followed, unmet = follow(running, folder, document_of(running.base_url), given.seed)
    found.add(followed)
    sys.stdout.write(f"{found}\nin {time.monotonic() - begun:.0f} s\n")
    if found.failures:
        sys.stdout.write(found.said)
    if unmet:
        sys.stdout.write(f"never met after a reading: {', '.join(unmet)}\n")
    if found.cases < given.least:
        sys.stdout.write(f"{found.cases} cases; at least {given.least} are asked for\n")
    return 0 if found.cases >= given.least and not found.failures and not unmet else 1


if __name__ == "__main__":
    sys.exit(main())
