"""A call that is handed on before there is who takes it."""

from __future__ import annotations

from collections.abc import Callable


class Later:
    """A call whose target is made after its caller."""

    def __init__(self) -> None:
        self.to: Callable[[], None] = lambda: None

    def __call__(self) -> None:
        self.to()
