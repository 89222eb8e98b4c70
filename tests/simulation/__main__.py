"""`python -m tests.simulation [--seeds N] [--first S] | --mutations | --replay SEED`: exit code 0 only for success."""

from __future__ import annotations

import argparse
import sys

import structlog

from tests.simulation.campaign import Seen, campaign, live, replay
from tests.simulation.defects import misfits
from tests.simulation.mutations import MUTATIONS, SECOND_LINES

WITHIN = 200
"""Worlds within which a planted fault must show."""


def _progress(seen: Seen) -> None:
    if seen.worlds % 100 == 0:
        print(f"\r{seen.worlds} worlds, {len(seen.failed)} failed, {seen.seconds:.0f} s", end="", file=sys.stderr)


def _seeds(first: int, count: int) -> int:
    seen = campaign(range(first, first + count), _progress)
    print(
        f"\n{seen.worlds} worlds in {seen.seconds:.0f} s:"
        f" {seen.kills} kills, {seen.freezes} stops, {seen.commits} commits,"
        f" {seen.closings} attempts said to be over, {seen.sweeps} sweeps,"
        f" {seen.events} events in streams that lost what they held, or their end, {seen.wipes} times"
    )
    print("how transactions ended:", ", ".join(f"{status} {n}" for status, n in seen.statuses.most_common()))
    print("what ERPs did to calls:", ", ".join(f"{way} {n}" for way, n in seen.ways.most_common()))
    for seed, violations in seen.failed.items():
        print(f"seed {seed}: {'; '.join(violations)}\n  again: python -m tests.simulation --replay {seed}")
    return 1 if seen.failed else 0


def _mutations() -> int:
    sound = campaign(range(WITHIN), first_only=True)
    if sound.failed:
        print("a world without a planted fault fails; what the others show proves nothing", file=sys.stderr)
        return 1
    missed = 0
    print("| planted fault | caught by world | what was seen |\n|---|---|---|")
    for name, planted in MUTATIONS.items():
        with planted(), misfits() as unfit:
            seen = campaign(range(WITHIN), first_only=True)
        missed += not seen.failed or bool(unfit)
        for one in sorted(unfit):
            print(f"{name}: it is not planted, but breaks the program: {one}", file=sys.stderr)
        what = next(iter(seen.failed.values()))[0] if seen.failed else "**not caught**"
        print(f"| {name} | {seen.worlds if seen.failed else '-'} | {' '.join(what[:90].split())} |", flush=True)
    for name, planted in SECOND_LINES.items():
        with planted():
            seen = campaign(range(WITHIN), first_only=True)
        print(f"second line of defence, {name}: {len(seen.failed)} of {seen.worlds} worlds failed", flush=True)
    print(f"\n{len(MUTATIONS) - missed} of {len(MUTATIONS)} caught, each within {WITHIN} worlds")
    return 1 if missed else 0


def _replay(seed: int) -> int:
    _, violations = live(seed)
    print("\n".join(violations) or "nothing is violated")
    print("digest", replay(seed))
    return 1 if violations else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=2_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--mutations", action="store_true")
    parser.add_argument("--replay", type=int)
    arguments = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    if arguments.mutations:
        return _mutations()
    if arguments.replay is not None:
        return _replay(arguments.replay)
    return _seeds(arguments.first, arguments.seeds)


if __name__ == "__main__":
    sys.exit(main())
