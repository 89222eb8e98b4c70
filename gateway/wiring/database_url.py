"""Where the record is."""

from __future__ import annotations

import re
from pathlib import Path

from gateway.settings import Settings, read_secret


def store_url(data: Path, settings: Settings) -> str:
    """The database's address: from its file, from the settings, else the embedded default."""
    if settings.store.url_file is not None:
        return read_secret(data / settings.store.url_file)
    return settings.store.url or f"sqlite:///{data / 'gateway.db'}"


def shown_url(data: Path, settings: Settings) -> str:
    """The database's address for people: without what may hold a password."""
    if settings.store.url_file is not None:
        return "as its url_file says"
    return re.sub(r"//[^/@]*@", "//", store_url(data, settings))
