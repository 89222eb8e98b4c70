"""YAML read as nodes that know their place; only what a rulebook needs of it.

No aliases (a few lines could unfold to gigabytes), no tags, no duplicate keys, one document, and of YAML's guesses
only null, true/false and whole numbers: the country code NO is a text here, not 'false', and 0.5 stays the text 0.5.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any, Final

import yaml

from routing_rules.complaints import ComplaintBook

MAX_DEPTH: Final = 40
MAX_YAML_NODES: Final = 200_000
MAX_TEXT: Final = 4_096

_PREFIX: Final = "tag:yaml.org,2002:"
_TAGS: Final = frozenset(_PREFIX + kind for kind in ("str", "int", "bool", "null", "seq", "map"))
_ALIAS: Final = "alias"
_MAX_INTEGER: Final = 2**53 - 1  # what RFC 8785 can write exactly


class _TooMuch(Exception):
    def __init__(self, message: str, mark: yaml.Mark) -> None:
        super().__init__(message)
        self.mark = mark


class _Composer(yaml.SafeLoader):
    """Composes nodes; notes every alias and ends at a depth or number that no rulebook needs."""

    # A table of our own, not PyYAML's: its resolvers are shared by every loader of the process.
    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # PyYAML's own shape

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.aliases: list[yaml.Mark] = []
        self._count = 0
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.get_event().start_mark  # type: ignore[no-untyped-call]
            self.aliases.append(mark)
            return yaml.ScalarNode(_ALIAS, "", mark, mark)
        self._count += 1
        self._depth += 1
        if self._count > MAX_YAML_NODES:
            raise _TooMuch(f"the file has more than {MAX_YAML_NODES} entries", self._mark())
        if self._depth > MAX_DEPTH:
            raise _TooMuch(f"the file is nested deeper than {MAX_DEPTH}", self._mark())
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _mark(self) -> yaml.Mark:
        mark: yaml.Mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        return mark


_Composer.add_implicit_resolver(_PREFIX + "null", re.compile(r"(?:~|null|)\Z"), ["~", "n", ""])
_Composer.add_implicit_resolver(_PREFIX + "bool", re.compile(r"(?:true|false)\Z"), ["t", "f"])
_Composer.add_implicit_resolver(_PREFIX + "int", re.compile(r"(?:0|-?[1-9][0-9]{0,17})\Z"), list("-0123456789"))


class YamlFile:
    """Reads the nodes of one file; what is not as asked becomes a complaint and is answered with None."""

    def __init__(self, file: str, complaints: ComplaintBook) -> None:
        self.file = file
        self.complaints = complaints

    def compose(self, text: str) -> yaml.Node | None:
        """The root node; None if there is none to read, which was complained about."""
        try:
            loader = _Composer(text)
        except yaml.reader.ReaderError as error:
            self._unreadable(text, error)
            return None
        try:
            node = loader.get_single_node()
        except yaml.reader.ReaderError as error:
            self._unreadable(text, error)
            return None
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            message = f"this is no YAML: {', '.join(part for part in (error.context, error.problem) if part)}"
            self._at(mark, message, "Mend the indentation, quotes or brackets here")
            return None
        except _TooMuch as error:
            self._at(error.mark, str(error), "Make it smaller")
            return None
        finally:
            # The parser keeps bound methods of itself; cut the circle so that large files are freed at once.
            loader.dispose()
        for mark in loader.aliases:
            self._at(mark, "an alias stands here", "Write out what it stands for")
        if node is None:
            self.complaints.add(self.file, 1, 1, "the file is empty", "Write trees and systems into it")
        return node

    def complain(self, node: yaml.Node, message: str, remedy: str) -> None:
        self._at(node.start_mark, message, remedy)

    def line(self, node: yaml.Node) -> int:
        return int(node.start_mark.line) + 1

    def mapping(self, node: yaml.Node, what: str) -> dict[str, yaml.Node] | None:
        """A mapping by its keys; a key that stands twice is complained about and its first value kept."""
        if not self._untagged(node):
            return None
        if not isinstance(node, yaml.MappingNode):
            self.complain(node, f"{what} is no mapping", "Write it as key: value")
            return None
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                self.complain(key, "the key is no text", "Write a plain word")
            elif key.value in found:
                self.complain(key, f"the key '{key.value}' stands twice", "Keep one of them")
            else:
                found[key.value] = value
        return found

    def fields(
        self, node: yaml.Node, what: str, required: Collection[str], optional: Collection[str] = ()
    ) -> dict[str, yaml.Node]:
        """A mapping with these keys; unknown and missing ones are complained about, the known returned."""
        found = self.mapping(node, what)
        if found is None:
            return {}
        allowed = [*required, *optional]
        for key in [key for key in found if key not in allowed]:
            self._at(self._key(node, key), f"{what} has no '{key}'", f"Known are: {', '.join(allowed)}")
            del found[key]
        for key in required:
            if key not in found:
                self.complain(node, f"{what} lacks '{key}'", "Add it")
        return found

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        """The entries of a list."""
        if not self._untagged(node):
            return []
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        self.complain(node, f"{what} is no list", "Write it as [one, two] or with a dash before each entry")
        return []

    def text(self, node: yaml.Node | None, what: str) -> str | None:
        """A text as it was written, also where YAML would see a number or a boolean."""
        if node is None:
            return None
        if not self._untagged(node):
            return None
        if not isinstance(node, yaml.ScalarNode) or node.tag == _PREFIX + "null":
            self.complain(node, f"{what} is no text", "Write a text")
            return None
        if len(node.value) > MAX_TEXT:
            self.complain(node, f"{what} is longer than {MAX_TEXT} characters", "Shorten it")
            return None
        return str(node.value)

    def integer(self, node: yaml.Node | None, what: str, lowest: int, highest: int) -> int | None:
        if node is None:
            return None
        if isinstance(node, yaml.ScalarNode) and node.tag == _PREFIX + "int":
            number = int(node.value)
            if lowest <= number <= highest:
                return number
        self.complain(node, f"{what} is no whole number from {lowest} to {highest}", "Write one")
        return None

    def boolean(self, node: yaml.Node | None, what: str) -> bool | None:
        if node is None:
            return None
        if isinstance(node, yaml.ScalarNode) and node.tag == _PREFIX + "bool":
            return bool(node.value == "true")
        self.complain(node, f"{what} is neither true nor false", "Write true or false")
        return None

    def data(self, node: yaml.Node) -> Any:
        """Anything, as JSON values: for what is kept as data and judged elsewhere."""
        if isinstance(node, yaml.MappingNode):
            return {key: self.data(value) for key, value in (self.mapping(node, "the entry") or {}).items()}
        if isinstance(node, yaml.SequenceNode) and self._untagged(node):
            return [self.data(one) for one in node.value]
        if node.tag == _PREFIX + "null":
            return None
        if node.tag == _PREFIX + "bool":
            return node.value == "true"
        if node.tag == _PREFIX + "int":
            return self.integer(node, "the number", -_MAX_INTEGER, _MAX_INTEGER)
        return self.text(node, "the value")

    def _untagged(self, node: yaml.Node) -> bool:
        if node.tag in _TAGS:
            return True
        if node.tag != _ALIAS:  # that was complained about when it was met
            self.complain(node, f"the tag {node.tag} stands here", "Remove it")
        return False

    def _key(self, node: yaml.Node, name: str) -> yaml.Mark:
        mark: yaml.Mark = next(key.start_mark for key, _ in node.value if key.value == name)
        return mark

    def _at(self, mark: yaml.Mark | None, message: str, remedy: str) -> None:
        line, column = (1, 1) if mark is None else (mark.line + 1, mark.column + 1)
        self.complaints.add(self.file, line, column, message, remedy)

    def _unreadable(self, text: str, error: yaml.reader.ReaderError) -> None:
        line = text.count("\n", 0, error.position) + 1
        column = error.position - text.rfind("\n", 0, error.position)
        character = error.character if isinstance(error.character, int) else ord(error.character[:1])
        self.complaints.add(
            self.file, line, column, f"the control character U+{character:04X} stands in the file", "Remove it"
        )
