"""`make fuzz`: thousands of cases against a gateway on two test ERPs. Exit code 1 if it found something, or tried too
little."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz.campaign import campaign
from tests.fuzz.target import fuzzed


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--examples", type=int, default=100, help="cases that are made up of one operation, at most")
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
    sys.stdout.write(f"{found}\nin {time.monotonic() - begun:.0f} s\n")
    if found.failures:
        sys.stdout.write(found.said[found.said.find("= FAILURES =") :])
    return 0 if found.cases >= given.least and not found.failures else 1


if __name__ == "__main__":
    sys.exit(main())
