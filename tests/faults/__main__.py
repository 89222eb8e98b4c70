"""`python -m tests.faults --kills N [--seed S] [--world N] | --planted`: exit code 0 only for success."""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import structlog

from tests.faults.campaign import BESIDE, campaign, report
from tests.faults.planted import PLANTED

WITHIN = 200
"""Kills within which a planted fault must show."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--beside", type=int, default=BESIDE)
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    root = Path(tempfile.mkdtemp(prefix="faults-"))
    if arguments.planted:
        return asyncio.run(_planted(root, arguments.seed, arguments.only))
    seen = asyncio.run(
        campaign(root, kills=arguments.kills, seed=arguments.seed, beside=arguments.beside, tell=True)
    )
    print(report(seen))
    if seen.failed:
        print(f"what is left of them: {root}")
    return 1 if seen.failed else 0


async def _planted(root: Path, seed: int, only: str) -> int:
    missed = 0
    print("| planted fault | kills until it showed | what was seen |\n|---|---|---|", flush=True)
    for number, name in enumerate(PLANTED):
        if only not in name:
            continue
        seen = await campaign(root / str(number), kills=WITHIN, seed=seed, planted=name, until_failed=True, lives=6)
        missed += not seen.failed
        what = next(iter(seen.failed.values()))[0].splitlines()[0] if seen.failed else "**not caught**"
        print(f"| {name} | {seen.kills} | {what[:100]} |", flush=True)
    print(f"\n{missed} of {len(PLANTED)} were not caught")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
