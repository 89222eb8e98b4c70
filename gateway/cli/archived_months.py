"""What commands say of months whose entries are in archives: a line below a table, where no member can hold it."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.cli.console import complain, print_line


def tell_archived(months: Iterable[str], what: str, *, aside: bool) -> None:
    """Nothing where there are none. `what` holds of these months; `aside`: on stderr, as stdout is for programs."""
    named = ", ".join(sorted(set(months)))
    if named:
        (complain if aside else print_line)(f"archived: {named}; {what}")
