"""What is wrong with a rulebook's files: each complaint names the place and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MAX_COMPLAINTS: Final = 1_000
"""Beyond this nobody reads on; the last complaint then says that there are more."""


@dataclass(frozen=True, slots=True, order=True)
class Complaint:
    """One fault. Line and column count characters from 1; the file is named relative to the rulebook's directory."""

    file: str
    line: int
    column: int
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}. {self.remedy}"


class RulebookInvalid(ValueError):
    """The files are no rulebook; nothing was loaded. ``complaints`` are all that was found, by file and place."""

    def __init__(self, complaints: tuple[Complaint, ...]) -> None:
        super().__init__("\n".join(str(one) for one in complaints))
        self.complaints = complaints


class ComplaintBook:
    """Collects complaints while reading goes on, up to MAX_COMPLAINTS."""

    def __init__(self) -> None:
        self._found: list[Complaint] = []
        self._overflow = False

    def __len__(self) -> int:
        return len(self._found)

    @property
    def is_full(self) -> bool:
        return len(self._found) >= MAX_COMPLAINTS

    def add(self, file: str, line: int, column: int, message: str, remedy: str) -> None:
        if self.is_full:
            self._overflow = True
            return
        self._found.append(Complaint(file, line, column, message, remedy))

    def all(self) -> tuple[Complaint, ...]:
        found = sorted(self._found)
        if self._overflow:
            last = found[-1]
            message = f"there are more than {MAX_COMPLAINTS} complaints"
            found.append(Complaint(last.file, last.line, last.column, message, "Mend these first"))
        return tuple(found)
