from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.identity import (
    CROCKFORD,
    crockford,
    external_reference,
    key_commitment,
    payload_commitment,
)
from gateway.domain.ids import TimeOrderedIds


def test_reference_is_the_first_80_bits_of_the_hash_in_crockford():
    digest = sha256(b"txn_1/1/do").digest()
    bits = int.from_bytes(digest, "big") >> (256 - 80)
    expected = ""
    for _ in range(16):
        expected = CROCKFORD[bits & 31] + expected
        bits >>= 5
    assert external_reference("txn_1", 1, "do") == expected


def test_reference_differs_by_transaction_step_and_direction_and_is_stable():
    seen = {
        external_reference(txn, step, direction)
        for txn in ("a", "b")
        for step in (1, 2)
        for direction in ("do", "undo")
    }
    assert len(seen) == 8
    assert all(len(reference) == 16 for reference in seen)
    assert external_reference("a", 1, "do") == external_reference("a", 1, "do")


@given(st.integers(min_value=0, max_value=2**80 - 1))
def test_crockford_keeps_the_order_and_the_value(value):
    text = crockford(value, 16)
    assert sum(CROCKFORD.index(digit) << (5 * place) for place, digit in enumerate(reversed(text))) == value
    assert text <= crockford(2**80 - 1, 16)


def test_crockford_refuses_what_does_not_fit():
    with pytest.raises(ValueError, match="does not fit"):
        crockford(32, 1)


def test_commitments_hide_and_bind():
    assert payload_commitment(b"a", b"x") != payload_commitment(b"b", b"x")
    assert payload_commitment(b"a", b"x") == sha256(b"ax").hexdigest()
    one = key_commitment(b"k", "salesforce", "orders", "1")
    assert one != key_commitment(b"other", "salesforce", "orders", "1")
    # the parts cannot be moved across their borders
    assert key_commitment(b"k", "ab", "c", "d") != key_commitment(b"k", "a", "bc", "d")


def test_ids_of_one_process_grow_strictly_even_within_a_millisecond_and_when_the_clock_steps_back():
    times = iter([1_000_000, 1_000_000, 1_000_500, 900_000, 2_000_000])
    ids = TimeOrderedIds(lambda: next(times), lambda bits: (1 << bits) - 1)
    made = [ids.new("txn") for _ in range(5)]
    assert made == sorted(made)
    assert len(set(made)) == 5
    assert all(one.startswith("txn_") and len(one) == 30 for one in made)


def test_an_id_is_its_time_and_its_random_part_also_where_its_last_characters_are_full():
    begin = (7 << 20) - 3
    times = iter([5_000_000] * 6 + [6_000_000])
    ids = TimeOrderedIds(lambda: next(times), lambda _: begin)
    made = [ids.new("txn") for _ in range(7)]
    values = [*(5_000 << 80 | begin + count for count in range(6)), 6_000 << 80 | begin]
    assert made == [f"txn_{crockford(value, 26)}" for value in values]
