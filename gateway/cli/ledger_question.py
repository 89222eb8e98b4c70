"""Questions about the ledger: the words that they are put in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from gateway.cli.console import Failure

ConditionsArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[NAME=VALUE]...", help="What must hold, such as kind=posted slice=orders.Western.US"),
]


def conditions(words: Sequence[str] | None) -> dict[str, str]:
    """`name=value` words as the API's query parameters. Raises Failure."""
    found: dict[str, str] = {}
    for word in words or ():
        name, equals, value = word.partition("=")
        if not equals or not value or name in found:
            raise Failure(f"{word!r} is not name=value, or comes twice; such as kind=posted,rejected", 2)
        found[name] = value
    return found
