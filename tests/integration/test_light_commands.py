"""What a command imports: its own modules, and of the gateway no more than it works with.

Told by `sys.modules` of a fresh process, so that it does not depend on how fast a machine is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Final

import pytest
from typer.main import get_command

from gateway.api.ledger_named import QUESTIONS_PATH
from gateway.api.ledger_views import VIEWS_PATH
from gateway.api.log import PATH as LOG_PATH
from gateway.cli import app, evidence, gateway_tiles, ledger_ask, ledger_view
from gateway.cli.listing import ListedGroup
from gateway.ledger.evidence.desk import RESOURCE

HEAVY: Final = frozenset(
    "aiohttp alembic asyncpg granian litestar lxml nats openpyxl prometheus_client sqlalchemy".split()
)
"""What commands that ask a gateway, or read files, have no use for."""
WITHOUT_GATEWAY: Final = (
    ("where",),
    ("token",),
    ("rules", "check"),
    ("rules", "diff"),
    ("rules", "export"),
    ("rules", "import"),
    ("ledger", "verify"),
)
"""Light, though they ask no gateway."""
AWAY: Final = ("--url", "http://127.0.0.1:9", "--token", "none")
"""A gateway that is not there."""
ASKING: Final = (
    ("batches", "show", "bat_1"),
    ("exceptions", "list"),
    ("cutover", "board"),
    ("events", "replay", "erp.replay.billing.x", "--lineage", "lin_1"),
    ("evidence", "transaction", "txn_1"),
    ("ledger", "trace", "SO-1"),
    ("ledger", "trace", "SO-1", "--tree"),
    ("ledger", "query", "--group-by", "kind"),
    ("ledger", "query", "--csv"),
    ("ledger", "query"),
    ("ledger", "ask", "where-stuck", "SO-1"),
    ("ledger", "view", "cycle-time"),
    ("rules", "drafts"),
    ("rules", "explain", "--domain", "orders"),
    ("rules", "simulate", "drf_01M8EGKTTAED8YBQ9QQJA4TEPY", "--since", "2026-10-01"),
)
IMPORTS_OF_CALLS: Final = """
import json, sys
from gateway.cli import app
from gateway.cli.console import Failure
from typer.main import get_command
loaded = {}
for words in json.loads(sys.argv[1]):
    command = get_command(app)
    for word in words:
        command = command.commands[word]
    loaded[" ".join(words)] = sorted(sys.modules)
for words in json.loads(sys.argv[2]):
    said = ""
    try:
        app(words, standalone_mode=False)
    except Failure as failure:
        said = str(failure)
    assert "no gateway answers" in said or "gave no whole answer" in said, (words, said)
    loaded[" ".join(words)] = sorted(sys.modules)
json.dump(loaded, sys.stdout)
"""
IMPORTS_OF_HELP: Final = """
import io, json, sys
from contextlib import redirect_stdout
from gateway.cli import app
out = io.StringIO()
with redirect_stdout(out):
    app([*sys.argv[1:], "--help"], standalone_mode=False)
assert "Commands" in out.getvalue()
json.dump({"help": sorted(sys.modules)}, sys.stdout)
"""


def _leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name in below:
        yield from _leaves(below[name], (*path, name))


def _groups(command: Any) -> Iterator[ListedGroup]:
    if isinstance(command, ListedGroup):
        yield command
    for one in getattr(command, "commands", {}).values():
        yield from _groups(one)


def _imported(program: str, *arguments: str) -> dict[str, list[str]]:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, list[str]] = json.loads(done.stdout)
    return told


def test_a_command_that_asks_a_gateway_imports_none() -> None:
    clients = [path for path, one in _leaves(get_command(app)) if any(option.name == "url" for option in one.params)]
    assert len(clients) > 40
    loaded = _imported(
        IMPORTS_OF_CALLS, json.dumps([*clients, *WITHOUT_GATEWAY]), json.dumps([[*words, *AWAY] for words in ASKING])
    )
    heavy = {words: HEAVY.intersection(one.partition(".")[0] for one in modules) for words, modules in loaded.items()}
    assert {words: found for words, found in heavy.items() if found} == {}


def test_a_serving_process_imports_nothing_that_it_may_never_use() -> None:
    """Each is some MB of a process that serves for months: steps of the schema, spans, workbooks, drivers."""
    loaded = _imported(IMPORTS_OF_CALLS, json.dumps([["serve"]]), "[]")["serve"]
    assert "gateway.wiring.runtime" in loaded
    unused = ("adapters.legacy_erp", "adapters.cloud_erp", "alembic", "gateway.demo", "openpyxl", "opentelemetry.sdk")
    assert [one for one in loaded if one.startswith(unused)] == []


@pytest.mark.parametrize("group", [(), ("ledger",), ("rules",), ("events",)], ids=" ".join)
def test_help_imports_no_command(group: Sequence[str]) -> None:
    loaded = _imported(IMPORTS_OF_HELP, *group)["help"]
    commands = {one.removeprefix("gateway.cli.") for one in loaded if one.startswith("gateway.cli.")}
    assert commands == {"console", "listing", "tables", *group}


def test_help_lists_every_command_as_it_tells_of_itself() -> None:
    groups = list(_groups(get_command(app)))
    assert len(groups) == 4
    for group in groups:
        for one in group.listed:
            assert one.line().help, one.name
            assert one.line().help == group.commands[one.name].help, one.name


def test_the_addresses_that_commands_ask_are_those_of_the_gateway() -> None:
    asked = (ledger_ask.QUESTIONS_PATH, ledger_view.VIEWS_PATH, gateway_tiles.PATH, evidence.RESOURCE)
    assert asked == (QUESTIONS_PATH, VIEWS_PATH, LOG_PATH, RESOURCE)
