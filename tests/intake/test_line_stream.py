"""Lines out of a stream, however it is cut into pieces and packed."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Problem
from gateway.intake.line_stream import LineStream, StreamLimits, unpacked
from tests.intake.batches import pieces


async def _all(lines: LineStream) -> list[bytes | None]:
    return [one async for one in lines]


def _cut(whole: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cut % (len(whole) + 1) for cut in cuts), len(whole)]
    return [whole[begin:end] for begin, end in pairwise(edges)]


@given(st.lists(st.binary(max_size=30).map(lambda one: one.replace(b"\n", b"-"))), st.lists(st.integers(0, 999)))
def test_the_same_lines_however_the_stream_is_cut_and_packed(lines: list[bytes], cuts: list[int]) -> None:
    whole = b"".join(one + b"\n" for one in lines)

    async def both() -> None:
        limits = StreamLimits()
        assert await _all(LineStream(pieces(*_cut(whole, cuts)), limits)) == lines
        packed = gzip.compress(whole[: len(whole) // 2]) + gzip.compress(whole[len(whole) // 2 :])
        assert await _all(LineStream(unpacked(pieces(*_cut(packed, cuts))), limits)) == lines

    asyncio.run(both())


@given(st.lists(st.binary(min_size=1, max_size=20).map(lambda one: one.replace(b"\n", b"-"))), st.integers(0, 999))
def test_a_line_that_is_too_long_stands_for_itself(lines: list[bytes], cut: int) -> None:
    whole = b"\n".join(lines)
    wanted = [one if len(one) <= 10 else None for one in lines]
    stream = LineStream(pieces(*_cut(whole, [cut])), StreamLimits(line_bytes=10))
    found, digests = [], []

    async def all_of_it() -> None:
        async for one in stream:
            found.append(one)
            digests.append(stream.digest)

    asyncio.run(all_of_it())
    assert found == wanted
    # of the lines as they came, whatever the limit
    so_far = [b"".join(one + b"\n" for one in lines[: count + 1]) for count in range(len(lines))]
    assert digests == [hashlib.sha256(one).hexdigest() for one in so_far]


async def test_the_last_line_needs_no_end() -> None:
    assert await _all(LineStream(pieces(b"a\nb"), StreamLimits())) == [b"a", b"b"]


@pytest.mark.parametrize(("limits", "member"), [({"lines": 2}, "mostLines"), ({"whole_bytes": 5}, "mostBytes")])
async def test_a_batch_that_is_too_large(limits: dict[str, int], member: str) -> None:
    with pytest.raises(Problem) as refused:
        await _all(LineStream(pieces(b"a\nb\n", b"c\n"), StreamLimits(**limits)))
    assert (refused.value.slug, member in refused.value.extra) == ("too-large", True)


async def test_a_bomb_is_never_unpacked_whole() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    tracemalloc.start()
    with pytest.raises(Problem) as refused:
        await _all(LineStream(unpacked(pieces(bomb)), StreamLimits(whole_bytes=1_000_000, line_bytes=1_000)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.slug == "too-large"
    assert peak < 1_000_000


@pytest.mark.parametrize("packed", [b"no gzip at all", gzip.compress(b"a\n" * 5_000)[:-9], gzip.compress(b"a") + b"x"])
async def test_what_is_no_gzip_or_ends_too_soon(packed: bytes) -> None:
    with pytest.raises(Problem) as refused:
        await _all(LineStream(unpacked(pieces(packed)), StreamLimits()))
    assert refused.value.slug == "invalid-request"
