import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.bundles import MAX_BUNDLE_BYTES, BundleBroken, bundle_of, entries_in
from gateway.ledger.errors import Malformed


def test_an_entry_stands_behind_its_length_as_two_bytes():
    assert bundle_of([b"ab", b"", b"c" * 258]) == b"\x00\x02ab\x00\x00\x01\x02" + b"c" * 258


@given(st.lists(st.binary(max_size=400), max_size=256))
def test_entries_come_back(entries):
    assert entries_in(bundle_of(entries)) == entries


def test_the_largest_bundle_is_as_large_as_readers_allow():
    assert len(bundle_of([b"x" * 65_535] * 256)) == MAX_BUNDLE_BYTES


def test_an_entry_that_two_bytes_cannot_measure_is_refused():
    with pytest.raises(Malformed, match="65536"):
        bundle_of([b"x" * 65_536])


def test_a_bundle_has_at_most_256_entries():
    with pytest.raises(Malformed, match="256"):
        bundle_of([b""] * 257)
    with pytest.raises(Malformed, match="256"):
        entries_in(b"\x00\x00" * 257)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_a_bundle_that_ends_too_soon_gives_the_entries_before_that(cut):
    with pytest.raises(BundleBroken, match="within its entry 2") as refused:
        entries_in(bundle_of([b"one", b"two", b"ab"])[:-cut])
    assert refused.value.whole == (b"one", b"two")
