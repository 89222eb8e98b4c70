"""What every tile store must do; and what the one on a directory does besides."""

import os
import stat
from pathlib import Path

import pytest

from gateway.ledger.durable_files import write_all_durably
from gateway.ledger.errors import Malformed, TilesDisagree
from gateway.ledger.tile_directory import DirectoryTiles
from gateway.ledger.tile_store import read_bundle, read_edge, read_published, read_tile
from gateway.ledger.tiles import ENTRIES, Tile

PATH = "tile/0/x001/234"


def test_what_is_written_can_be_read_and_nothing_else_can(tiles):
    tiles.write({PATH: b"h" * 8_192, "tile/entries/000.p/1": b"\x00\x01e", "keys/1": b"k"})
    tiles.replace("checkpoint", b"c")
    assert tiles.read(PATH) == b"h" * 8_192
    assert tiles.read("tile/entries/000.p/1") == b"\x00\x01e"
    assert tiles.read("keys/1") == b"k"
    assert tiles.read("checkpoint") == b"c"
    assert tiles.read("tile/0/x001/235") is None
    assert tiles.read("tile/0/x001/234.p/3") is None


def test_a_file_never_changes_but_may_be_written_again(tiles):
    tiles.write({PATH: b"a" * 32})
    tiles.write({PATH: b"a" * 32, "tile/1/000": b"b" * 32})
    with pytest.raises(TilesDisagree, match="published with other bytes"):
        tiles.write({PATH: b"b" * 32})
    assert tiles.read(PATH) == b"a" * 32


def test_only_the_checkpoint_is_replaced(tiles):
    tiles.replace("checkpoint", b"old")
    tiles.replace("checkpoint", b"new")
    assert tiles.read("checkpoint") == b"new"
    with pytest.raises(Malformed, match="never changes"):
        tiles.replace(PATH, b"h")


def test_partial_files_are_listed_and_removed_with_their_tile_only(tiles):
    files = [Tile(0, 7, width).path for width in (1, 44, 200)] + [Tile(0, 7).path, Tile(0, 8, 3).path]
    tiles.write(dict.fromkeys(files, b"h" * 32))
    assert list(tiles.partial_widths(Tile(0, 7))) == [1, 44, 200]
    assert list(tiles.partial_widths(Tile(1, 7))) == []
    tiles.remove_partials(Tile(0, 7))
    tiles.remove_partials(Tile(0, 7))
    assert list(tiles.partial_widths(Tile(0, 7))) == []
    assert tiles.read(Tile(0, 7).path) == b"h" * 32
    assert list(tiles.partial_widths(Tile(0, 8))) == [3]


@pytest.mark.parametrize("path", ["../secret", "tile/0/../../../etc/passwd", "/etc/passwd", "tile/0", "", "keys/../x"])
def test_no_path_leads_outside(tmp_path, path):
    tiles = DirectoryTiles(tmp_path)
    with pytest.raises(Malformed, match="no tile path"):
        tiles.read(path)
    with pytest.raises(Malformed, match="no tile path"):
        tiles.write({path: b""})


def test_a_full_tile_stands_in_for_a_partial_one_that_is_gone(tiles):
    hashes = [bytes([number]) * 32 for number in range(256)]
    tiles.write({"tile/0/000": b"".join(hashes), "tile/entries/000": b"\x00\x00" * 256})
    assert read_tile(tiles, Tile(0, 0, 3)) == hashes[:3]
    assert read_bundle(tiles, Tile(ENTRIES, 0, 3)) == [b""] * 3
    assert read_published(tiles, Tile(0, 0, 3)) == ("tile/0/000", b"".join(hashes))
    tiles.write({"tile/0/000.p/3": b"".join(hashes[:3])})
    assert read_published(tiles, Tile(0, 0, 3)) == ("tile/0/000.p/3", b"".join(hashes[:3]))


def test_a_wider_partial_stands_in_for_a_narrower_one_that_was_never_written(tiles):
    hashes = [bytes([number]) * 32 for number in range(5)]
    tiles.write({"tile/0/000.p/2": b"".join(hashes[:2]), "tile/0/000.p/5": b"".join(hashes)})
    tiles.write({"tile/entries/000.p/5": b"\x00\x01e" * 5})
    assert read_tile(tiles, Tile(0, 0, 3)) == hashes[:3]
    assert read_bundle(tiles, Tile(ENTRIES, 0, 3)) == [b"e"] * 3
    with pytest.raises(TilesDisagree, match=r"000\.p/6 is missing"):
        read_published(tiles, Tile(0, 0, 6))


def test_a_tile_that_is_missing_or_of_another_width_is_no_tile(tiles):
    with pytest.raises(TilesDisagree, match=r"tile/0/000\.p/3 is missing"):
        read_tile(tiles, Tile(0, 0, 3))
    with pytest.raises(TilesDisagree, match=r"tile/1/000\.p/3 is missing"):
        read_edge(tiles, 3 * 256)
    tiles.write({"tile/0/000.p/3": bytes(64), "tile/0/001": bytes(32), "tile/entries/000.p/3": b"\x00\x00"})
    with pytest.raises(Malformed, match="holds 2 hashes"):
        read_tile(tiles, Tile(0, 0, 3))
    with pytest.raises(Malformed, match="holds 1 hashes"):
        read_tile(tiles, Tile(0, 1, 1))
    with pytest.raises(Malformed, match="holds 1 entries"):
        read_bundle(tiles, Tile(ENTRIES, 0, 3))


def test_a_directory_can_be_served_as_it_is(tmp_path):
    tiles = DirectoryTiles(tmp_path / "log")
    tiles.write({PATH: b"h" * 32, "tile/0/x001/234.p/9": b"p" * 32})
    tiles.replace("checkpoint", b"c")
    found = {str(path.relative_to(tmp_path / "log")) for path in (tmp_path / "log").rglob("*") if path.is_file()}
    assert found == {PATH, "tile/0/x001/234.p/9", "checkpoint"}
    assert stat.S_IMODE((tmp_path / "log" / PATH).stat().st_mode) & 0o133 == 0
    tiles.remove_partials(Tile(0, 1_234))
    assert not (tmp_path / "log/tile/0/x001/234.p").exists()


def test_files_that_are_too_large_links_folders_and_pipes_are_refused(tmp_path):
    tiles = DirectoryTiles(tmp_path)
    for folder in ("tile/0", "tile/entries", "tile/0/002"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "tile/0/000").write_bytes(bytes(8_193))
    (tmp_path / "checkpoint").write_bytes(bytes(1_000_001))
    (tmp_path / "tile/0/001").symlink_to(tmp_path / "checkpoint")
    with (tmp_path / "tile/entries/000").open("wb") as file:
        file.truncate(16_777_473)
    for path in ("tile/0/000", "checkpoint", "tile/entries/000"):
        with pytest.raises(Malformed, match="larger than"):
            tiles.read(path)
    with pytest.raises(Malformed, match="cannot be read"):
        tiles.read("tile/0/001")
    os.mkfifo(tmp_path / "tile/0/003")
    for path in ("tile/0/002", "tile/0/003"):
        with pytest.raises(Malformed, match="no plain file"):
            tiles.read(path)


def test_files_are_synced_before_they_get_their_names_and_folders_after(tmp_path, monkeypatch):
    """The order is what a power cut tests; here the calls to the operating system are recorded."""
    calls = []
    sync, rename = os.fsync, os.replace

    def recorded_sync(descriptor):
        calls.append(("sync", Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(descriptor)

    def recorded_rename(source, target):
        calls.append(("name", Path(target)))
        rename(source, target)

    monkeypatch.setattr(os, "fsync", recorded_sync)
    monkeypatch.setattr(os, "replace", recorded_rename)
    first, second = tmp_path / "one", tmp_path / "two"
    write_all_durably({first: b"1", second: b"2"})
    assert [kind for kind, _ in calls] == ["sync", "sync", "name", "name", "sync"]
    assert [where for kind, where in calls if kind == "name"] == [first, second]
    assert calls[-1] == ("sync", tmp_path)


def test_a_write_that_fails_leaves_no_draft(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_all_durably({tmp_path / "fine": b"1", tmp_path / "taken": b"2"})
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
