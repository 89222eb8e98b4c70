"""A reversal counts while it stands itself; what is not known counts as standing."""

from __future__ import annotations

import pytest

from adapters import mirrors


@pytest.mark.parametrize(
    ("mirrored", "standing"),
    [
        ({}, ""),
        ({"a": "b"}, "b"),
        ({"a": "b", "b": "c"}, ""),
        ({"a": "b", "b": "c", "c": "d"}, "b"),
        ({"a": "bc", "b": "d"}, "c"),
        ({"a": "bc"}, "bc"),
        # a text that names the document itself
        ({"a": "a"}, "a"),
    ],
)
async def test_what_counts_as_a_reversal(mirrored: dict[str, str], standing: str) -> None:
    async def mirrors_of(number: str) -> list[str]:
        return list(mirrored.get(number, ""))

    assert "".join(await mirrors.standing("a", mirrors_of)) == standing


async def test_a_chain_without_end_is_followed_so_far_and_no_farther() -> None:
    asked: list[str] = []

    async def next_one(number: str) -> list[str]:
        asked.append(number)
        return [str(int(number) + 1)]

    assert len(await mirrors.standing("0", next_one)) < 2
    assert len(asked) == 20
