"""The ledger's pure half: nothing here opens a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_socket import disable_socket, enable_socket

from gateway.ledger.tile_directory import DirectoryTiles
from gateway.ledger.tile_store import TileStore
from tests.ledger.memory_tiles import MemoryTiles
from tools.go_verifier.program import GoVerifier, GoVerifierMissing, go_verifier


@pytest.fixture(autouse=True)
def _no_sockets() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture(params=["memory", "directory"])
def tiles(request: pytest.FixtureRequest, tmp_path: Path) -> TileStore:
    """An empty tile store, of either kind."""
    return MemoryTiles() if request.param == "memory" else DirectoryTiles(tmp_path / "log")


@pytest.fixture(scope="session")
def go() -> GoVerifier:
    """Go's own verifier. Where it cannot be had, the tests that need it fail and say what to do."""
    try:
        return go_verifier()
    except GoVerifierMissing as missing:
        pytest.fail(str(missing), pytrace=False)
