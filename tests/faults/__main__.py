"""Faults made on purpose, with real processes. Exit code 0 only if nothing was violated.

python -m tests.faults --kills 200 [--seed 1]     the gateway is killed; with --world N that one world once more
python -m tests.faults --nats 50 --wipes 5        NATS is killed, and its store wiped
python -m tests.faults --postgres 50              PostgreSQL is stopped with -m immediate
python -m tests.faults --frozen 200               workers are frozen past their leases
python -m tests.faults --cuts 500                 connections are cut half-way
python -m tests.faults --full 10                  the disk is full
python -m tests.faults --soak 1800                seconds of steady load with a fault every 10 s, in one process
python -m tests.faults --planted                  faults planted into the safety code are caught
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

import structlog

from tests.faults.campaign import BESIDE, campaign, report
from tests.faults.cut_rounds import cut_rounds
from tests.faults.disk_rounds import disk_rounds
from tests.faults.frozen_rounds import BEFORE_THE_FIRST_BYTE, HOLDS_S, LONG_S, POINTS, Freezes, frozen_rounds
from tests.faults.nats_rounds import nats_rounds
from tests.faults.planted import PLANTED, PLANTED_AMONG_WORKERS, WITHIN
from tests.faults.postgres_rounds import postgres_rounds, restartable_server
from tests.faults.setting import world_of
from tests.faults.soak import soak
from tests.store.postgres import running_server

FREEZES = 60
"""Freezes within which one among workers must."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--beside", type=int, default=BESIDE, help="worlds at once")
    parser.add_argument("--world", type=int)
    parser.add_argument("--nats", type=int, default=0)
    parser.add_argument("--wipes", type=int, default=0)
    parser.add_argument("--postgres", type=int, default=0)
    parser.add_argument("--frozen", type=int, default=0)
    parser.add_argument("--cuts", type=int, default=0)
    parser.add_argument("--full", type=int, default=0)
    parser.add_argument("--soak", type=float, default=0.0)
    parser.add_argument("--many", action="store_true", help="with --soak: on PostgreSQL, a worker beside the API")
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--only", default="", help="with --planted: those whose name holds this")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    root = Path(tempfile.mkdtemp(prefix="faults-"))
    failed = 0
    if asked.kills:
        failed += asyncio.run(_kills(root / "kills", asked))
    if asked.nats or asked.wipes:
        failed += asyncio.run(_nats(root / "nats", asked))
    if asked.cuts:
        failed += asyncio.run(_cuts(root / "cuts", asked))
    if asked.full:
        failed += asyncio.run(_full(root / "full", asked))
    if asked.postgres:
        failed += _postgres(root / "postgres", asked)
    if asked.frozen:
        failed += _frozen(root / "frozen", asked)
    if asked.soak:
        failed += _soak(root / "soak", asked)
    if asked.planted:
        print("| planted fault | until it showed | what was seen |\n|---|---|---|", flush=True)
        failed += asyncio.run(_planted(root / "planted", asked))
        failed += _planted_among_workers(root / "frozen-planted", asked)
    if failed:
        print(f"what is left of it: {root}")
    else:
        shutil.rmtree(root)
    return 1 if failed else 0


async def _kills(root: Path, asked: argparse.Namespace) -> bool:
    seen = await campaign(root, kills=asked.kills, seed=asked.seed, beside=asked.beside, tell=True, world=asked.world)
    print(report(seen), flush=True)
    for name in seen.failed:
        print(f"again: python -m tests.faults --kills {asked.kills} --seed {asked.seed} --world {name[1:]}")
    return bool(seen.failed)


async def _nats(root: Path, asked: argparse.Namespace) -> bool:
    async with world_of(root, f"{asked.seed}") as world:
        seen = await nats_rounds(world, kills=asked.nats, wipes=asked.wipes)
    print(seen.report(), flush=True)
    return bool(seen.violations)


async def _cuts(root: Path, asked: argparse.Namespace) -> bool:
    async with world_of(root, f"{asked.seed}") as world:
        seen = await cut_rounds(world, cuts=asked.cuts)
    print(seen.report(), flush=True)
    return bool(seen.violations)


async def _full(root: Path, asked: argparse.Namespace) -> bool:
    async with world_of(root, f"{asked.seed}") as world:
        seen = await disk_rounds(world, rounds=asked.full)
    print(seen.report(), flush=True)
    return bool(seen.violations)


def _postgres(root: Path, asked: argparse.Namespace) -> bool:
    async def run() -> bool:
        async with world_of(root, f"{asked.seed}", server.url(server.create_database())) as world:
            seen = await postgres_rounds(world, server, stops=asked.postgres)
        print(seen.report(), flush=True)
        return bool(seen.violations)

    with restartable_server() as server:
        return asyncio.run(run())


def _frozen(root: Path, asked: argparse.Namespace) -> bool:
    seen = _freezes(root, asked, asked.frozen)
    print(seen.report(), flush=True)
    return bool(seen.violations)


def _soak(root: Path, asked: argparse.Namespace) -> bool:
    async def run(store: str) -> bool:
        async with world_of(root, f"{asked.seed}", store) as world:
            seen = await soak(world, seconds=asked.soak, tell=True)
        print(seen.report(), flush=True)
        return bool(seen.violations)

    if not asked.many:
        return asyncio.run(run(""))
    with running_server(durable=True) as server:
        return asyncio.run(run(server.url(server.create_database())))


def _freezes(root: Path, asked: argparse.Namespace, rounds: int, planted: str = "") -> Freezes:
    async def run() -> Freezes:
        async with world_of(root, f"{asked.seed}", server.url(server.create_database())) as world:
            world.planted = planted
            return await frozen_rounds(
                world,
                rounds=rounds,
                seed=asked.seed,
                points=BEFORE_THE_FIRST_BYTE if planted else POINTS,
                holds_s=LONG_S if planted else HOLDS_S,
                until_failed=bool(planted),
            )

    with running_server() as server:
        return asyncio.run(run())


async def _planted(root: Path, asked: argparse.Namespace) -> bool:
    missed = 0
    names = [name for name in PLANTED if asked.only in name]
    for number, name in enumerate(names):
        seen = await campaign(
            root / str(number), kills=WITHIN, seed=asked.seed, planted=name, until_failed=True, lives=6
        )
        missed += not seen.failed
        what = next(iter(seen.failed.values()))[0].splitlines()[0] if seen.failed else "**not caught**"
        print(f"| {name} | {seen.kills} kills | {what[:100]} |", flush=True)
    return bool(missed)


def _planted_among_workers(root: Path, asked: argparse.Namespace) -> bool:
    missed = 0
    for number, name in enumerate(name for name in PLANTED_AMONG_WORKERS if asked.only in name):
        seen = _freezes(root / str(number), asked, FREEZES, name)
        missed += not seen.violations
        what = seen.violations[0].splitlines()[0] if seen.violations else "**not caught**"
        print(f"| {name} | {seen.rounds} freezes | {what[:100]} |", flush=True)
    return bool(missed)


if __name__ == "__main__":
    sys.exit(main())
