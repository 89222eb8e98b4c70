"""Groups of commands that are imported when they are asked for.

The command line is one program, and most of what it can do needs the whole gateway: a second of imports and more. So a
group knows of its commands what its help shows, and where each is; a command that is called is imported, and no other.
Source of the idea: https://click.palletsprojects.com/en/stable/complex/#lazily-loading-subcommands.
"""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass
from importlib import import_module
from importlib.abc import InspectLoader
from importlib.util import find_spec
from types import ModuleType
from typing import Any, ClassVar, cast

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

Loaded = TyperCommand | TyperGroup


@dataclass(frozen=True, slots=True)
class Listed:
    """One command, or one group of commands, before it is imported.

    `place` is `module:attribute` below `gateway.cli`; the attribute is the command's function, or the group's
    `typer.Typer`. `tells`: the help of a group; where it is empty, and of a command, the docstring says it (of the
    function, of the group's callback).
    """

    name: str
    place: str
    tells: str = ""

    @property
    def module(self) -> str:
        """Where it is."""
        return f"gateway.cli.{self.place.partition(':')[0]}"

    @property
    def attribute(self) -> str:
        """What it is called there."""
        return self.place.partition(":")[2]

    def load(self) -> Loaded:
        """Import it."""
        found = getattr(_imported(self.module), self.attribute)
        loaded = get_group(found) if isinstance(found, typer.Typer) else _command(found)
        loaded.name = self.name
        loaded.help = self.tells or loaded.help
        return loaded

    def line(self) -> TyperCommand:
        """What stands for it in the help of its group; its docstring is read where it is written, as long as that is
        there."""
        return TyperCommand(name=self.name, help=self.tells or self._docstring() or self.load().help)

    def _docstring(self) -> str:
        spec = find_spec(self.module)
        loader = cast("InspectLoader", spec and spec.loader)
        for one in ast.parse(loader.get_source(self.module) or "").body:
            if isinstance(one, ast.FunctionDef):
                decorated = {ast.unparse(decorator) for decorator in one.decorator_list}
                if one.name == self.attribute or f"{self.attribute}.callback()" in decorated:
                    return ast.get_docstring(one) or ""
        return ""


def _imported(module: str) -> ModuleType:
    """The collector rests meanwhile: it would look through all that is imported again and again, a quarter of the time
    (measured)."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        return import_module(module)
    finally:
        if was_on:
            gc.enable()


def _command(function: Any) -> Loaded:
    alone = typer.Typer(add_completion=False)
    alone.command()(function)
    return cast("Loaded", get_command(alone))


class ListedGroup(TyperGroup):
    """A group whose commands are listed. `listed` is set by `listing`."""

    listed: ClassVar[tuple[Listed, ...]] = ()

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.commands = _AtNeed(self.listed)

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, as listed."""
        return list(self.commands)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """As every group does, but of what is listed, so that help imports no command."""
        commands = self.commands
        self.commands = {one.name: one.line() for one in self.listed}
        try:
            super().format_help(ctx, formatter)
        finally:
            self.commands = commands


class _AtNeed(MutableMapping[str, Any]):
    """Commands by name; looking one up imports it."""

    def __init__(self, listed: tuple[Listed, ...]) -> None:
        self._listed = {one.name: one for one in listed}
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = self._listed[name].load()
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._listed[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._listed)

    def __len__(self) -> int:
        return len(self._listed)


def listing(*listed: Listed) -> type[ListedGroup]:
    """The class of a group of these, in the order in which help shows them: `typer.Typer(cls=listing(…))`. The group
    needs a callback, by which typer knows it for a group."""
    return type("Listing", (ListedGroup,), {"listed": listed})
