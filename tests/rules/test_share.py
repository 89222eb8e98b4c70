"""The share bucket is the one that docs/rules.md fixes, and raising a share only adds."""

from __future__ import annotations

import hashlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing_rules.share import in_share, share_bucket, share_threshold


@pytest.mark.parametrize(
    ("key", "bucket"),
    [("", 9678), ("ALFKI", 8092), ("Zürich", 5996), ("customer-7", 1021), ("customer-1", 4942)],
)
def test_vectors(key: str, bucket: int) -> None:
    # Computed once with sha256sum over printf 'share/v1<key>', so that no later change moves a customer.
    assert share_bucket(key) == bucket


@given(st.text(st.characters(codec="utf-8")))
def test_the_bucket_by_its_definition(key: str) -> None:
    digest = hashlib.sha256(b"share/v1" + key.encode("utf-8")).hexdigest()
    assert share_bucket(key) == int(digest[:16], 16) % 10_000


SHARES = st.decimals(0, 100, places=2)


@given(st.none() | st.integers(0, 9_999), SHARES, SHARES)
def test_raising_a_share_only_adds(bucket: int | None, one: Decimal, other: Decimal) -> None:
    low, high = sorted((one, other))
    assert in_share(bucket, low) <= in_share(bucket, high)
    assert in_share(bucket, Decimal(100))
    assert not in_share(bucket, Decimal(0))


@given(SHARES)
def test_a_share_is_exactly_that_many_buckets(share: Decimal) -> None:
    assert sum(in_share(bucket, share) for bucket in range(10_000)) == share_threshold(share) == share * 100
