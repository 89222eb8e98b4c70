"""The same simulator over OData V4, with V2 for journal entries, for which it has no V4 service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from tests.contract.peer_sap_s4 import SETTINGS, SapS4Peer

_SETS: Final = {"customers": "BusinessPartner", "products": "Product", "orders": "SalesOrder"}


def start(folder: Path) -> SapS4V4Peer:
    """Start the simulator in `folder` and wait until it answers."""
    return SapS4V4Peer(folder)


class SapS4V4Peer(SapS4Peer):
    """See `tests.contract.peer.Peer`."""

    name = "sap_s4_v4"
    # The simulator expands by path in V4 too.
    settings = replace(SETTINGS, odata_version="v4", v4_expand="path")
    sets: Mapping[str, str] = {**SapS4Peer.sets, **_SETS}
