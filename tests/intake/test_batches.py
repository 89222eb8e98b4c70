"""Batches on the real line: each line for itself, resumed where they were cut, nothing twice."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.api.limits import Limits
from gateway.domain.lanes import IN_BULK
from gateway.domain.transaction import Status
from gateway.errors import Problem, StoreUnavailable
from gateway.intake import batch as batch_module
from gateway.intake.lines import DocumentReader
from gateway.store.migrate import migrate
from gateway.store.store import Store, open_store
from gateway.telemetry import Metrics
from gateway.transactions.commands import Create
from gateway.transactions.queries import TransactionFilter, Visible
from tests.intake.batches import Cut, body, line, pieces, results, send, send_stream
from tests.line.rig import BILLING, SALESFORCE, Rig, invoice, order


@pytest.fixture
async def rig(store: Store) -> Rig:
    return await Rig.on(store)


async def _transactions(rig: Rig) -> list[str | None]:
    found = await rig.store.reads.transactions(TransactionFilter(), Visible(), 1_000, None)
    return sorted(one.external_id for one in found)


async def test_each_line_is_accepted_or_refused_by_itself(rig: Rig):
    wrong = order("3") | {"currencyCode": "dollars"}
    lines = [
        line("orders", order("1")),
        b"no json",
        line("orders", wrong),
        b"",
        line("hats", {}),
        line("orders", order("2")),
        line("orders", order("1")),
        line("orders", order("4"), colour="red"),
        line("orders", {**order("5"), "idempotencyKey": "k"}),
        b"x" * 2_000_001,
    ]
    metrics = Metrics()
    done = await send(rig, [body(*lines)], counts=metrics.intake)
    assert (done.state, done.received) == ("complete", 10)
    shown = metrics.render(None).decode()
    for result, count in (("accepted", 2), ("known", 1), ("refused", 6)):
        assert f'erp_gateway_batch_lines_total{{result="{result}"}} {count}.0' in shown
    assert await results(rig, done) == [
        (1, "accepted", None),
        (2, "refused", "invalid-request"),
        (3, "refused", "invalid-document"),
        (5, "refused", "invalid-request"),
        (6, "accepted", None),
        (7, "accepted", None),
        (8, "refused", "invalid-request"),
        (9, "refused", "invalid-document"),
        (10, "refused", "too-large"),
    ]
    assert await _transactions(rig) == ["1", "2"]
    jobs = await rig.store.reads.queue_state(rig.clock.now())
    assert {one.lane for one in jobs.depths} == {IN_BULK.lane}


async def test_how_it_stands(rig: Rig):
    done = await send(rig, [body(*(line("orders", order(str(n))) for n in range(3)), line("orders", order("0")))])
    progress = await rig.store.reads.batch_progress(done.batch_id)
    assert progress is not None
    (part,) = progress.parts
    assert (part.status, part.currency_code, part.lines, part.replayed, part.transactions, str(part.amount)) == (
        Status.ACCEPTED, "USD", 4, 1, 3, "504"
    )  # fmt: skip
    await rig.settle()
    progress = await rig.store.reads.batch_progress(done.batch_id)
    assert progress is not None
    assert [(one.status, one.transactions) for one in progress.parts] == [("posted", 3)]
    assert await rig.store.reads.batch_progress("bat_none") is None


async def test_what_comes_before_its_parent_waits_for_it(rig: Rig):
    """A payment of an invoice of an order, in the wrong order; and one whose parent never comes."""
    credit = invoice("INV-2", of_order="no-such")
    lines = [line("invoices", invoice("INV-1", "1")), line("invoices", credit)]
    done = await send(rig, [body(*lines, line("orders", order("1")))], caller=SALESFORCE)
    assert await results(rig, done) == [
        (1, "accepted", None),
        (2, "refused", "unknown-reference"),
        (3, "accepted", None),
    ]
    (found,) = [one for one in await rig.store.reads.batch_lines(done.batch_id, 0, 9) if one.line_number == 2]
    assert "unknown-reference" in (found.problem or "")
    assert await rig.store.reads.waiting_batch_lines(done.batch_id, 0, 10) == []


async def test_a_cut_batch_goes_on_under_its_key(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(batch_module, "GROUP_LINES", 3)
    lines = [line("orders", order(str(n))) for n in range(8)]
    with pytest.raises(Cut):
        await send(rig, [body(*lines[:5])], "run-1", then=Cut())
    stood = await rig.store.write(lambda unit: unit.batch_named("salesforce", "run-1"))
    assert (stood.state, stood.received) == ("open", 3)
    done = await send(rig, [body(*lines)], "run-1")
    assert (done.batch_id, done.epoch, done.state, done.received) == (stood.batch_id, 2, "complete", 8)
    assert await results(rig, done) == [(n, "accepted", None) for n in range(1, 9)]
    again = await send(rig, [body(*lines)], "run-1")
    assert (again.batch_id, again.received) == (done.batch_id, 8)
    assert len(await _transactions(rig)) == 8
    other = await send(rig, [body(*lines)], "run-1", caller=BILLING)
    assert other.batch_id != done.batch_id, "a key is its client's own"


async def test_a_line_whose_record_was_cut_off_is_no_replay(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    """Accepted, and then the process ends before the lines are written: they are this batch's own all the same."""
    await send(rig, [body(line("orders", order("before")))])
    lines = [line("orders", order(str(n))) for n in (0, 1, "before", 0, 2)]
    with monkeypatch.context() as ending:
        ending.setattr(batch_module, "replayed_of", _gone)
        for _ in range(2):
            with pytest.raises(Cut):
                await send(rig, [body(*lines)], "run-1")
    assert await _transactions(rig) == ["0", "1", "2", "before"]
    done = await send(rig, [body(*lines)], "run-1")
    found = await rig.store.reads.batch_lines(done.batch_id, 0, 9)
    assert [one.replayed for one in found] == [0, 0, 1, 1, 0]
    other = await send(rig, [body(*lines)], "run-2")
    assert [one.replayed for one in await rig.store.reads.batch_lines(other.batch_id, 0, 9)] == [1] * 5


async def test_what_another_batch_had_accepted_meanwhile_is_a_replay(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    lines = [line("orders", order(str(n))) for n in range(3)]
    with pytest.raises(Cut):
        await send(rig, [], "run-1", then=Cut())
    await send(rig, [body(lines[1])], "run-2")
    done = await send(rig, [body(*lines)], "run-1")
    assert [one.replayed for one in await rig.store.reads.batch_lines(done.batch_id, 0, 9)] == [0, 1, 0]


async def _gone(*_asked: Any) -> Any:
    raise Cut


async def test_a_complete_batch_takes_no_more(rig: Rig):
    lines = [line("orders", order(str(n))) for n in range(3)]
    await send(rig, [body(lines[0])], "run-1")
    for sent, detail in (
        (lines[:2], "The batch of this Idempotency-Key is complete: 1 line."),
        ([], "Under this Idempotency-Key 1 line came before, and now 0 lines."),
        (lines[1:2], "The first line is not what was sent under this Idempotency-Key before."),
    ):
        with pytest.raises(Problem) as refused:
            await send(rig, [body(*sent)], "run-1")
        assert (refused.value.slug, refused.value.detail) == ("idempotency-key-reused", detail)
    assert await _transactions(rig) == ["0"]
    assert (await send(rig, [body(lines[0])], "run-1")).received == 1


@pytest.mark.parametrize("kept", [2, 4])
async def test_other_lines_under_the_same_key_are_refused(rig: Rig, kept: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(batch_module, "GROUP_LINES", 2)
    lines = [line("orders", order(str(n))) for n in range(4)]
    await send(rig, [body(*lines)], "run-1")
    others = [line("orders", order("other")), *lines[1:]][:kept]
    for sent in (others, lines[:2]):
        with pytest.raises(Problem) as refused:
            await send(rig, [body(*sent)], "run-1")
        assert refused.value.slug == "idempotency-key-reused"
    assert len(await _transactions(rig)) == 4


@pytest.mark.parametrize(("before", "after"), [(4_000, 1_500), (1_500, 4_000)], ids=["lowered", "raised"])
async def test_the_same_lines_are_the_same_under_another_limit(
    rig: Rig, before: int, after: int, monkeypatch: pytest.MonkeyPatch
):
    """`http.body_bytes` of the settings may change between a cut and the next request. What was dealt with stands."""
    monkeypatch.setattr(batch_module, "GROUP_LINES", 1)
    long = line("orders", order("0"), idempotencyKey="k-0") + b" " * 2_000
    lines = [long, *(line("orders", order(str(n))) for n in (1, 2))]
    stream = pieces(body(*lines[:2]), lines[2][:10], then=Cut())
    with pytest.raises(Cut):
        await send_stream(rig, stream, "run-1", limits=Limits(body_bytes=before))
    done = await send_stream(rig, pieces(body(*lines)), "run-1", limits=Limits(body_bytes=after))
    first = (1, "accepted", None) if before > after else (1, "refused", "too-large")
    assert await results(rig, done) == [first, (2, "accepted", None), (3, "accepted", None)]
    again = await send_stream(rig, pieces(body(*lines)), "run-1", limits=Limits(body_bytes=before))
    assert (again.batch_id, again.received, again.state) == (done.batch_id, 3, "complete")


async def test_lines_that_are_too_long_are_told_apart(rig: Rig):
    """Of one nothing is held, yet another one under the same key is another batch's."""
    limits = Limits(body_bytes=1_500)
    await send_stream(rig, pieces(body(b"x" * 2_000)), "run-1", limits=limits)
    with pytest.raises(Problem) as refused:
        await send_stream(rig, pieces(body(b"x" * 1_999 + b"y")), "run-1", limits=limits)
    assert refused.value.slug == "idempotency-key-reused"


async def test_the_newest_request_carries_it_on_alone(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(batch_module, "GROUP_LINES", 1)
    lines = [line("orders", order(str(n))) for n in range(3)]
    begun, second = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield lines[0] + b"\n"
        begun.set()
        await second.wait()
        yield body(*lines[1:])

    slow = asyncio.create_task(send_stream(rig, slowly(), "run-1"))
    await begun.wait()
    done = await send(rig, [body(*lines)], "run-1")
    second.set()
    with pytest.raises(Problem) as refused:
        await slow
    assert refused.value.slug == "in-flight"
    assert await results(rig, done) == [(n, "accepted", None) for n in (1, 2, 3)]
    assert len(await _transactions(rig)) == 3


async def test_a_database_that_is_away_refuses_nothing(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    async def away(_commands: Any) -> Any:
        raise StoreUnavailable("away")

    with monkeypatch.context() as broken:
        broken.setattr(rig.line, "accept_many", away)
        with pytest.raises(StoreUnavailable):
            await send(rig, [body(line("orders", order("1")))], "run-1")
    done = await send(rig, [body(line("orders", order("1")))], "run-1")
    assert await results(rig, done) == [(1, "accepted", None)]


async def test_one_that_breaks_the_line_does_not_hold_up_the_others(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    whole = rig.line.accept_many

    async def breaking(commands: Any) -> Any:
        if any(one.document.external_id == "2" for one in commands):
            raise RuntimeError("a defect")
        return await whole(commands)

    monkeypatch.setattr(rig.line, "accept_many", breaking)
    done = await send(rig, [body(*(line("orders", order(str(n))) for n in range(5)))])
    assert [one[1:] for one in await results(rig, done)] == [
        ("refused", "internal-error") if n == 2 else ("accepted", None) for n in range(5)
    ]


@pytest.mark.parametrize(
    ("now", "code"),
    [({"served": {"orders"}}, "domain-not-served"), ({"limits": Limits(depth=2)}, "invalid-request")],
    ids=["served-no-more", "a-smaller-limit"],
)
async def test_a_waiting_line_that_cannot_be_read_any_more_does_not_stop_its_batch(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, now: dict[str, Any], code: str
):
    """It waits, the batch is cut, and meanwhile another rulebook or another setting is in force."""
    monkeypatch.setattr(batch_module, "GROUP_LINES", 1)
    whole = body(line("invoices", invoice("INV-1", "1")), line("orders", order("1")), line("orders", order("2")))
    with pytest.raises(Cut):
        await send(rig, [whole], "run-1", then=Cut())
    done = await send_stream(rig, pieces(whole), "run-1", **now)
    assert done.state == "complete"
    assert await results(rig, done) == [(1, "refused", code), (2, "accepted", None), (3, "accepted", None)]


async def test_a_line_that_nobody_expected_does_not_hold_up_the_others(rig: Rig, monkeypatch: pytest.MonkeyPatch):
    whole = DocumentReader.of_line

    def breaking(reader: DocumentReader, raw: bytes) -> Create:
        if b'"INV-1"' in raw:
            raise RuntimeError("a defect")
        return whole(reader, raw)

    monkeypatch.setattr(DocumentReader, "of_line", breaking)
    done = await send(rig, [body(line("orders", order("1")), line("invoices", invoice("INV-1", "1")))])
    assert await results(rig, done) == [(1, "accepted", None), (2, "refused", "internal-error")]


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database at the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "gateway.db"
    asyncio.run(migrate(f"sqlite:///{path}"))
    return path


@settings(max_examples=15, deadline=None)
@given(st.data())
def test_wherever_it_is_cut_it_ends_alike(empty: Path, data: st.DataObject) -> None:
    """Any cuts, each between two bytes of the body, and each between any two commits."""
    lines = [line("orders", order(str(n))) for n in range(4)]
    lines.insert(data.draw(st.integers(0, 4)), line("invoices", invoice("INV", "3", businessUnit="Northern")))
    lines.insert(data.draw(st.integers(0, 5)), b"broken")
    whole = body(*lines)
    cuts = data.draw(st.lists(st.integers(0, len(whole)), max_size=3))
    commits = data.draw(st.lists(st.integers(1, 6), max_size=3))

    async def scenario() -> None:
        with tempfile.TemporaryDirectory() as directory:
            shutil.copy(empty, Path(directory) / "gateway.db")
            store = await open_store(f"sqlite:///{Path(directory) / 'gateway.db'}")
            try:
                rig = await Rig.on(store)
                for cut in cuts:
                    with pytest.raises(Cut):
                        await send(rig, [whole[:cut]], "run", then=Cut())
                for count in commits:
                    await _until_commit(rig, whole, count)
                done = await send(rig, [whole], "run")
                assert done.state == "complete"
                found = await results(rig, done)
                assert [one[1] for one in found] == ["refused" if one == b"broken" else "accepted" for one in lines]
                assert await _transactions(rig) == ["0", "1", "2", "3", "INV"]
            finally:
                await store.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_module, "GROUP_LINES", 2)
        asyncio.run(scenario())


async def _until_commit(rig: Rig, whole: bytes, count: int) -> None:
    """Send it to a process that ends after so many commits."""
    left, write = count, rig.store.write

    async def counted(fn: Any) -> Any:
        nonlocal left
        if left == 0:
            raise Cut
        left -= 1
        return await write(fn)

    rig.store.write = counted
    try:
        await send(rig, [whole], "run")
    except Cut:
        pass
    finally:
        rig.store.write = write
