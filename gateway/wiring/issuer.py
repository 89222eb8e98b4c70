"""The issuer of a data directory: it signs tokens for the running gateway, and for commands that act on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gateway.auth import EmbeddedIssuer
from gateway.settings import Settings


def embedded_issuer(data: Path, settings: Settings, now: Callable[[], float]) -> EmbeddedIssuer:
    """The issuer of this data directory."""
    issuer = settings.auth.issuer or f"urn:erp-gateway:{settings.name}"
    return EmbeddedIssuer.open(data, issuer, settings.auth.audience, now, demo=settings.demo)
