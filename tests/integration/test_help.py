"""The help of every command says what it was written to say: typer shows it as rich markup (`:id:` is an emoji there,
and `[x]` a style; https://rich.readthedocs.io/en/stable/markup.html), which cannot be turned off by itself."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

from rich.text import Text
from typer.main import get_command

from gateway.cli import app


def _texts(command: Any, name: str = "erp-gateway") -> Iterator[tuple[str, str]]:
    yield name, command.help or ""
    for one in command.params:
        yield f"{name} {one.name}", getattr(one, "help", None) or ""
    for below, one in getattr(command, "commands", {}).items():
        yield from _texts(one, f"{name} {below}")


def test_help_is_shown_as_it_is_written() -> None:
    texts = [(where, cleandoc(text)) for where, text in _texts(get_command(app))]
    assert len(texts) > 300
    assert [where for where, text in texts if Text.from_markup(text).plain != text] == []
