import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.errors import Malformed, TilesDisagree
from gateway.ledger.frontier import Frontier
from gateway.ledger.hashing import leaf_hash
from gateway.ledger.tile_edge import TileEdge
from gateway.ledger.tiles import ENTRIES, Tile, hashes_in, open_tile, parse_tile_path, tile_holding, tiles_of
from tests.ledger.naive import NaiveTree, entry


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 999, 1), "tile/0/999.p/1"),
        (Tile(1, 1_000, 255), "tile/1/x001/000.p/255"),
        (Tile(63, 0), "tile/63/000"),
        (Tile(ENTRIES, 273, 112), "tile/entries/273.p/112"),
        (Tile(ENTRIES, 12_345_678_901), "tile/entries/x012/x345/x678/901"),
    ],
)
def test_paths_are_those_of_the_specification(tile, path):
    assert tile.path == path
    assert parse_tile_path(path) == tile


@given(
    tile=st.builds(Tile, st.integers(ENTRIES, 63), st.integers(0, 2**63 - 1), st.integers(1, 256)),
)
def test_every_path_leads_back_to_its_tile(tile):
    assert parse_tile_path(tile.path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile/0/0",
        "tile/0/0000",
        "tile/00/000",
        "tile/-1/000",
        "tile/64/000",
        "tile/0/x000/001",
        "tile/0/001/002",
        "tile/0/x001/x002",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/8/0/000",
        "tile/data/000",
        "tile/0/000/",
        "/tile/0/000",
        "tile/0/../0/000",
        "tile/0/٠٠٠",
        "tile/0/000\n",
        "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
    ],
)
def test_anything_else_is_no_path(path):
    with pytest.raises(Malformed):
        parse_tile_path(path)


@pytest.mark.parametrize(("level", "index", "width"), [(64, 0, 1), (-2, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)])
def test_there_is_no_such_tile(level, index, width):
    with pytest.raises(Malformed, match="there is no tile"):
        Tile(level, index, width)


def test_the_tiles_of_70000_entries_are_those_that_the_specification_lists():
    """tlog-tiles, Partial Tiles: 273 full and one of 112 on level 0, one full and one of 17 on 1, one of 1 on 2."""
    tiles = list(tiles_of(70_000))
    for level in (ENTRIES, 0):
        assert sorted(tile for tile in tiles if tile.level == level) == [
            *(Tile(level, index) for index in range(273)),
            Tile(level, 273, 112),
        ]
    assert [tile for tile in tiles if tile.level > 0] == [Tile(1, 0), Tile(1, 1, 17), Tile(2, 0, 1)]


def test_256_entries_are_a_full_tile_and_one_hash_above_it():
    assert set(tiles_of(256)) == {Tile(ENTRIES, 0), Tile(0, 0), Tile(1, 0, 1)}
    assert set(tiles_of(0)) == set()


@given(old=st.integers(0, 200_000), more=st.integers(0, 3_000))
def test_growing_needs_the_tiles_that_were_not_there(old, more):
    assert set(tiles_of(old + more, since=old)) == set(tiles_of(old + more)) - set(tiles_of(old))


@given(size=st.integers(1, 2**40), data=st.data())
def test_the_tile_of_an_entry_holds_it(size, data):
    index = data.draw(st.integers(0, size - 1))
    tile = tile_holding(0, index, size)
    assert tile.index * 256 <= index < tile.index * 256 + tile.width
    assert tile.width == 256 or tile == open_tile(0, size)
    with pytest.raises(Malformed):
        tile_holding(0, size, size)


@given(parts=st.lists(st.integers(0, 700), max_size=6))
def test_an_edge_finishes_the_tiles_that_are_full_and_knows_the_frontier(parts):
    leaves = [leaf_hash(entry(index)) for index in range(sum(parts))]
    edge, start, finished = TileEdge(), 0, []
    for part in parts:
        finished += edge.extend(leaves[start : start + part])
        start += part
    assert edge.frontier() == Frontier().appended(leaves)
    tiles = [tile for tile, _ in [*finished, *edge.open_tiles()]]
    assert sorted(tiles) == sorted(tile for tile in tiles_of(sum(parts)) if tile.level != ENTRIES)


def test_an_edge_holds_what_tlog_tiles_says_on_every_level():
    tree, edge = NaiveTree(66_100), TileEdge()
    found = dict(edge.extend(tree.leaves)) | dict(edge.open_tiles())
    for tile, hashes in found.items():
        reach = 256**tile.level
        start = tile.index * 256
        assert hashes == [
            tree.root_between((start + number) * reach, (start + number + 1) * reach) for number in range(tile.width)
        ], tile


def test_an_edge_is_not_built_on_tiles_of_another_size():
    with pytest.raises(TilesDisagree, match="level 0 holds 2 hashes, 3 belong there"):
        TileEdge(3, [[bytes(32)] * 2])
    with pytest.raises(TilesDisagree, match="level 1 holds 0 hashes, 1 belong there"):
        TileEdge(256, [[]])
    with pytest.raises(TilesDisagree, match="level 1"):
        TileEdge(3, [[bytes(32)] * 3, [bytes(32)]])


@pytest.mark.parametrize("length", [0, 31, 33, 8_193, 8_224])
def test_bytes_that_are_no_tile(length):
    with pytest.raises(Malformed, match="no tile"):
        hashes_in(bytes(length))
