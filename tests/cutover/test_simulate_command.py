"""`erp-gateway rules simulate DIRECTORY` on the record of a gateway."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.cli.console import Failure
from gateway.cli.instants import micros
from gateway.cli.rules import app
from gateway.domain.queries import TransactionFilter, Visible
from gateway.store.store import open_store
from tests.line.rig import TABLES, Rig, invoice, order
from tests.migrated import migrated_file

SINCE = ("--since", "2023-11-01")
WINDOW = (*SINCE, "--until", "2023-12-01")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose record holds an order of the slice Northern × FR and its invoice."""
    directory = tmp_path_factory.mktemp("data")
    (directory / "gateway.toml").write_text('rulebook = "rulebook"\nhttp.port = 9\n', encoding="utf-8")

    async def fill() -> None:
        url = migrated_file(directory / "gateway.db")
        store = await open_store(url)
        rig = await Rig.on(store)
        await rig.send(order(), wait_s=5.0)
        await rig.send(invoice(), "invoices", wait_s=5.0)
        await store.close()

    asyncio.run(fill())
    return directory


@pytest.fixture
def candidate(tmp_path: Path) -> Path:
    """The sample, with every order live in the cloud."""
    directory = Path(shutil.copytree(TABLES, tmp_path / "candidate"))
    table = directory / "orders.csv"
    text = table.read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("o-base,"))
    moved = row.replace(",legacy,legacy-main,", ",live,legacy-main,cloud-main", 1)
    assert moved != row
    table.write_text(text.replace(row, moved), encoding="utf-8")
    return directory


@pytest.fixture
def simulate(data: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[str, str]]:
    def call(*arguments: object) -> tuple[str, str]:
        app(["simulate", *map(str, arguments), "--data", str(data)], standalone_mode=False)
        told = capsys.readouterr()
        return told.out, told.err

    return call


def test_what_would_move_is_told_as_text_json_and_report(
    simulate: Callable[..., tuple[str, str]], candidate: Path, tmp_path: Path
) -> None:
    text, progress = simulate(candidate, *WINDOW, "--html", tmp_path / "report.html")
    assert "to the cloud · orders · Northern · FR: 1 document, 168.00 USD" in text
    assert "to the cloud · invoices · Northern · FR: 1 document, 168.00 USD" in text
    assert "2 of 2 documents" in progress
    told, _ = simulate(candidate, *WINDOW, "--json")
    stored: dict[str, Any] = json.loads(told)
    assert stored["found"]["movedDocuments"] == 2
    assert stored["base"]["activationNumber"] == 1
    assert f"result {stored['resultHash']}\n" in text
    assert stored["resultHash"] in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_version_in_force_moves_nothing(simulate: Callable[..., tuple[str, str]]) -> None:
    stored = json.loads(simulate(TABLES, *WINDOW, "--json")[0])
    assert (stored["found"]["movedDocuments"], stored["found"]["documents"]) == (0, 2)
    assert stored["candidate"]["tableVersion"] == stored["base"]["tableVersion"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--since", "yesterday"), "write 2026-10-01"),
        (("--since", "2023-11-01T00:00:00"), "lacks its offset"),
        ((*SINCE, "--until", "2023-11-01"), "empty"),
        ((*SINCE, "--until", "9999-01-01"), "longer than"),
        (("--since", "2022-11-01", "--until", "2022-12-01"), "nothing was routed"),
        ((*WINDOW, "--html", "/nowhere/report.html"), "cannot be written"),
    ],
)
def test_what_cannot_be_simulated_is_said(
    simulate: Callable[..., tuple[str, str]], arguments: tuple[str, ...], told: str
) -> None:
    with pytest.raises(Failure, match=told):
        simulate(TABLES, *arguments)


def test_instants_are_days_or_have_an_offset() -> None:
    assert micros("1970-01-02", "--since") == 86_400_000_000
    assert micros("1970-01-01T01:00:00.000001+01:00", "--since") == 1


def test_a_transaction_is_explained_as_of_then_and_now(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def ids() -> list[str]:
        store = await open_store(f"sqlite:///{data / 'gateway.db'}")
        found = await store.reads.transactions(TransactionFilter(), Visible(), 10, None)
        await store.close()
        return [one.transaction_id for one in reversed(found)]

    first, follower = asyncio.run(ids())

    def call(*arguments: str) -> str:
        app(["explain", *arguments, "--data", str(data)], standalone_mode=False)
        return capsys.readouterr().out

    text = call("--transaction", first)
    assert "as of then, decided again: the same as stored" in text
    assert "as of now, activation 1: the same" in text
    assert f"it follows {first}, whose decision is explained" in call("--transaction", follower)
    told = json.loads(call("--transaction", first, "--json", "--why-not", "o-west"))
    assert (told["reproduced"], told["asOfThen"]["whyNot"]["row"]) == (True, "o-west")
    for arguments, message in (
        (("--transaction", "txn_none"), "there is no transaction"),
        (("--transaction", first, "--why-not", "o-none"), "had no row o-none"),
        ((), "name a --domain"),
    ):
        with pytest.raises(Failure, match=message):
            call(*arguments)
