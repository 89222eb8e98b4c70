"""A batch: its lines are accepted in groups as they come, and what became of each is kept.

1. The batch is entered, or found by the client's name for it: then its lines are compared with those that were dealt
   with already, and only the others are.
2. A group of lines is accepted, many in one commit (`Line.accept_many`); then, in a commit of its own, its results are
   written and `received` moves on. Cut between the two, the lines are accepted again, and their natural keys and
   idempotency keys answer what was accepted: nothing twice, nothing lost.
3. A line that refers to a document that is not known waits. When all lines have come, those that wait are looked at
   again, until a whole look finds no parent; what still waits then is refused `unknown-reference`.

Who sends a batch again while an earlier request still carries it on takes it over: the earlier one's next write meets a
newer epoch, and ends.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.api.failures import problem_of
from gateway.domain.batches import BatchLineRecord, BatchRecord, BatchState
from gateway.errors import Problem
from gateway.intake.accepting import accept_each
from gateway.intake.line_stream import LineStream
from gateway.intake.lines import DocumentReader, told
from gateway.intake.parts import IntakeParts
from gateway.intake.ports import BatchUnit
from gateway.intake.replayed import replayed_of
from gateway.store.errors import Fenced
from gateway.transactions.commands import Answer, Create

GROUP_LINES: Final = 500
"""Lines whose results are written together: what is done again, without effect, after a cut."""
GROUP_BYTES: Final = 4_000_000
"""Bytes of a group, which is held in memory."""
PATH: Final = "/v1/batches"

_WAITS: Final = "unknown-reference"
_NO_LINES: Final = hashlib.sha256().hexdigest()


@dataclass(frozen=True, slots=True)
class _Group:
    """Lines from `first` on; None: too long. Of empty ones there is nothing to say."""

    first: int
    lines: Sequence[bytes | None]


async def enter(parts: IntakeParts, client: str, idempotency_key: str | None) -> BatchRecord:
    """The batch of this name, which only this request carries on from now on; a new one if there is none."""
    batch_id, now = parts.tools.ids.new("bat"), parts.tools.clock.now()
    fresh = BatchRecord(batch_id, client, idempotency_key, "open", 1, 0, _NO_LINES, now, now)

    async def unit(unit: BatchUnit) -> BatchRecord:
        known = None if idempotency_key is None else await unit.batch_named(client, idempotency_key)
        if known is None:
            await unit.insert_batch(fresh)
            return fresh
        state: BatchState = "open" if known.state == "cut" else known.state
        taken = replace(known, epoch=known.epoch + 1, state=state, updated_at=now)
        await unit.take_batch_over(taken)
        return taken

    return await parts.store.write(unit)


async def receive(
    parts: IntakeParts,
    batch: BatchRecord,
    reader: DocumentReader,
    lines: LineStream,
) -> BatchRecord:
    """Take the lines in, and say how the batch stands then: complete.

    Raises Problem: `idempotency-key-reused` where the lines are not those that were dealt with under this name,
    `in-flight` where a newer request carries the batch on, and what reading the lines raises; StoreUnavailable. Then it
    stays open, and goes on when it is sent again.
    """
    work = _Work(parts, batch, reader)
    try:
        await work.take(lines)
        return await work.finish()
    except Fenced as error:
        raise Problem(
            "in-flight",
            "Another request has taken this batch over.",
            remedy="Read the batch's progress; send it again only if nobody else does.",
            retry_after_s=5,
        ) from error


class _Work:
    """One request's part in a batch."""

    def __init__(self, parts: IntakeParts, batch: BatchRecord, reader: DocumentReader) -> None:
        self._parts = parts
        self._batch = batch
        self._reader = reader
        self._instance = f"{PATH}/{batch.batch_id}"

    async def take(self, lines: LineStream) -> None:
        """All lines that were not dealt with yet, group by group."""
        seen = 0
        held: list[bytes | None] = []
        size = 0
        is_complete = self._batch.state == "complete"
        async for line in lines:
            seen += 1
            if seen <= self._batch.received:
                if seen == self._batch.received:
                    self._refuse_other(lines.digest)
                continue
            if is_complete:
                raise _other_lines(f"The batch of this Idempotency-Key is complete: {_lines(self._batch.received)}.")
            held.append(line)
            size += len(line or b"")
            if len(held) >= GROUP_LINES or size >= GROUP_BYTES:
                await self._take(_Group(seen - len(held) + 1, held), seen, lines.digest)
                held, size = [], 0
        if seen < self._batch.received:
            raise _other_lines(
                f"Under this Idempotency-Key {_lines(self._batch.received)} came before, and now {_lines(seen)}."
            )
        if held:
            await self._take(_Group(seen - len(held) + 1, held), seen, lines.digest)

    async def finish(self) -> BatchRecord:
        """Look again at what waits, as long as that helps; then refuse the rest."""
        if self._batch.state == "complete":
            return self._batch
        while await self._look_again():
            pass
        async for page in self._waiting():
            detail = "A document that this one refers to is not known, and did not come with the batch."
            gone = Problem("unknown-reference", detail)
            await self._write(self._batch, decided=[self._refused(one.line_number, gone) for one in page])
        now = self._parts.tools.clock.now()
        await self._write(replace(self._batch, state="complete", completed_at=now))
        return self._batch

    async def _take(self, group: _Group, received: int, digest: str) -> None:
        results: dict[int, BatchLineRecord] = {}
        commands: dict[int, Create] = {}
        for number, raw in enumerate(group.lines, group.first):
            if raw is not None and not raw.strip():
                continue
            read = self._read(raw)
            if isinstance(read, Create):
                commands[number] = read
            else:
                results[number] = self._refused(number, read)
        answers = await self._accept(list(commands.values()))
        for number, (answer, is_replayed) in zip(commands, answers, strict=True):
            results[number] = self._result(number, answer, is_replayed, group.lines[number - group.first])
        moved = replace(self._batch, received=received, digest=digest)
        await self._write(moved, new=[results[number] for number in sorted(results)])

    def _read(self, raw: bytes | None) -> Create | Problem:
        if raw is None:
            most = self._reader.limits.body_bytes
            return Problem("too-large", f"The line is longer than {most} bytes.", extra={"mostBytes": most})
        try:
            return self._reader.of_line(raw)
        except Exception as error:
            # also what nobody expected is this line's alone: the batch goes on
            return problem_of(error)

    async def _look_again(self) -> bool:
        """Whether a line that waited waits no more."""
        found = False
        async for page in self._waiting():
            # what could be read when it came may be refused by now: its domain is served no more, or it is too long
            read = [(one, self._read(one.body)) for one in page]
            answers = iter(await self._accept([command for _, command in read if isinstance(command, Create)]))
            looked = [
                self._result(one.line_number, *next(answers), one.body)
                if isinstance(command, Create)
                else self._refused(one.line_number, command)
                for one, command in read
            ]
            decided = [one for one in looked if one.result != "waiting"]
            if decided:
                await self._write(self._batch, decided=decided)
            found = found or any(one.result == "accepted" for one in decided)
        return found

    async def _waiting(self) -> AsyncIterator[Sequence[BatchLineRecord]]:
        after, batch_id = 0, self._batch.batch_id
        while page := await self._parts.reads.waiting_batch_lines(batch_id, after, GROUP_LINES):
            yield page
            after = page[-1].line_number

    async def _accept(self, commands: Sequence[Create]) -> list[tuple[Answer | Problem, bool]]:
        """Each answer, and whether it repeats what was accepted already."""
        answers = await accept_each(self._parts.submissions, commands)
        return list(zip(answers, await replayed_of(self._parts.reads, self._batch, answers), strict=True))

    def _result(self, number: int, answer: Answer | Problem, is_replayed: bool, raw: bytes | None) -> BatchLineRecord:
        if isinstance(answer, Answer):
            transaction_id = answer.transaction.transaction_id
            return BatchLineRecord(self._batch.batch_id, number, "accepted", transaction_id, replayed=int(is_replayed))
        if answer.slug == _WAITS:
            return BatchLineRecord(self._batch.batch_id, number, "waiting", body=raw)
        return self._refused(number, answer)

    def _refused(self, number: int, problem: Problem) -> BatchLineRecord:
        body = told(problem, self._instance, self._reader.traceparent[3:35])
        text = json.dumps(body, ensure_ascii=True, separators=(",", ":"))
        return BatchLineRecord(self._batch.batch_id, number, "refused", problem=text)

    async def _write(
        self, batch: BatchRecord, *, new: Sequence[BatchLineRecord] = (), decided: Sequence[BatchLineRecord] = ()
    ) -> None:
        moved = replace(batch, updated_at=self._parts.tools.clock.now())

        async def unit(unit: BatchUnit) -> None:
            await unit.carry_batch_on(moved)
            if new:
                await unit.insert_batch_lines(new)
            if decided:
                await unit.decide_batch_lines(decided)

        await self._parts.store.write(unit)
        self._batch = moved
        if self._parts.counts is not None:
            self._parts.counts.batch_lines(Counter("known" if one.replayed else one.result for one in (*new, *decided)))

    def _refuse_other(self, digest: str) -> None:
        if digest != self._batch.digest:
            first = "line is" if self._batch.received == 1 else f"{self._batch.received} lines are"
            raise _other_lines(f"The first {first} not what was sent under this Idempotency-Key before.")


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


def _other_lines(detail: str) -> Problem:
    remedy = "Send exactly the same lines, all of them, or another batch under a new key."
    return Problem("idempotency-key-reused", detail, remedy=remedy)
