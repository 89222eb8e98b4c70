"""The verifiable log over HTTP: who may read what of it, and its paths."""

from __future__ import annotations

from base64 import b64decode

import pytest

from gateway.domain.caller import DataScope
from gateway.ledger.errors import NoteUnsigned
from gateway.ledger.receipt import Receipt
from gateway.ledger.stored_receipts import EntryReceipt
from gateway.ledger.tiles import parse_tile_path
from tests.api.conftest import HttpClient, World
from tests.api.fakes import an_id, transaction

LOG = "/v1/ledger/log"
WESTERN = DataScope(frozenset({"Western"}), None)
FILES = {
    "checkpoint": b"ledger.example/one\n1\n...",
    "keys/1": b"key-announcement/v1\n",
    "tile/0/000.p/1": b"h" * 32,
    "tile/entries/000.p/1": b"\x00\x02{}",
    "tile/0/x001/234": b"w" * 8_192,
}


class Published:
    """What is published."""

    signed = True

    async def read(self, path: str) -> bytes | None:
        if path.startswith("tile/"):
            parse_tile_path(path)
        return FILES.get(path)

    async def receipts(self, trace: str) -> list[EntryReceipt]:
        if not self.signed:
            raise NoteUnsigned("nothing yet")
        return [EntryReceipt(trace, 1, b'{"v":1}', Receipt(41, (b"s" * 32,), FILES["checkpoint"]))]


@pytest.fixture
def published(world: World) -> Published:
    return Published()


@pytest.fixture
def log_client(world: World, published: Published) -> HttpClient:
    return world.client(published_log=published)


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("checkpoint", "text/plain; charset=utf-8"),
        ("keys/1", "text/plain; charset=utf-8"),
        ("tile/0/000.p/1", "application/octet-stream"),
        ("tile/0/x001/234", "application/octet-stream"),
        ("tile/entries/000.p/1", "application/octet-stream"),
    ],
)
async def test_files_are_given_as_they_are(world: World, log_client: HttpClient, path: str, media_type: str) -> None:
    answer = await log_client.get(f"{LOG}/{path}", headers=world.token("ledger:read"))
    assert (answer.status_code, answer.content) == (200, FILES[path])
    assert answer.headers["content-type"] == media_type


async def test_hashes_are_for_every_reader_of_the_ledger_and_entries_for_those_who_see_everything(
    world: World, log_client: HttpClient
) -> None:
    headers = world.token("ledger:read", data=WESTERN)
    for path in ("checkpoint", "tile/0/000.p/1"):
        assert (await log_client.get(f"{LOG}/{path}", headers=headers)).status_code == 200
    refused = await log_client.get(f"{LOG}/tile/entries/000.p/1", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "out-of-scope")
    unknown = await log_client.get(f"{LOG}/tile/entries/009", headers=headers)
    assert unknown.status_code == 403
    assert (await log_client.get(f"{LOG}/checkpoint", headers=world.token("documents:read"))).status_code == 403


@pytest.mark.parametrize(
    "path", ["tile/0/7", "tile/entries/000.p/256", "tile/0/..%2F..", "tile/99/000", "tile/0/x000/001"]
)
async def test_what_is_no_path_of_a_log_is_refused(world: World, log_client: HttpClient, path: str) -> None:
    answer = await log_client.get(f"{LOG}/{path}", headers=world.token("ledger:read"))
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-request")


async def test_what_is_not_there_yet_is_not_found(world: World, log_client: HttpClient) -> None:
    for path in ("tile/0/001", "keys/2"):
        answer = await log_client.get(f"{LOG}/{path}", headers=world.token("ledger:read"))
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


async def test_receipts_of_a_transaction(world: World, log_client: HttpClient, published: Published) -> None:
    record = transaction(1)
    world.reads.hold(record)
    address = f"/v1/transactions/{record.transaction_id}/receipts"
    told = (await log_client.get(address, headers=world.token("ledger:read"))).json()
    (receipt,) = told["receipts"]
    assert (receipt["seq"], receipt["logIndex"], b64decode(receipt["entry"])) == (1, 41, b'{"v":1}')
    assert receipt["receipt"].startswith("c2sp.org/tlog-proof@v1\nindex 41\n")
    published.signed = False
    assert (await log_client.get(address, headers=world.token("ledger:read"))).json()["receipts"] == []
    other = await log_client.get(f"/v1/transactions/{an_id('txn', 9)}/receipts", headers=world.token("ledger:read"))
    assert other.status_code == 404
