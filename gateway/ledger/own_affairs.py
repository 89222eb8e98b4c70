"""What is in the way of this process alone, and says nothing of the log."""

from __future__ import annotations

from typing import Final

from gateway.ledger.errors import KeyMisused, StateBroken
from gateway.store.errors import StatementRefused

OWN_AFFAIRS: Final = (KeyMisused, StateBroken, StatementRefused)
"""A key or a state file that cannot be used, or a statement that the database does not take: a right that was
withdrawn, a schema that a newer release changed. Others may well look, and sign."""
