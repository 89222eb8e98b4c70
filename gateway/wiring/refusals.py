"""Why a rulebook is not taken."""

from __future__ import annotations


class RulebookRefused(ValueError):
    """The rulebook cannot be served by the connected systems; every complaint is listed."""

    def __init__(self, complaints: list[str]) -> None:
        super().__init__("\n".join(complaints))
        self.complaints = tuple(complaints)
