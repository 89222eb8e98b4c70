"""Canonical JSON: the quick way writes what RFC 8785's library writes, or leaves it to it."""

from __future__ import annotations

from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.canonical_json import canonical_json

_TEXT = st.text(st.characters(exclude_categories=["Cs"]))
_PLAIN = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | _TEXT | st.floats(allow_nan=False)
_VALUES = st.recursive(
    _PLAIN.filter(lambda value: not isinstance(value, float) or abs(value) < 1e300),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(_TEXT, inner),
    max_leaves=20,
)


@given(_VALUES)
def test_the_bytes_are_those_of_the_library(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


def test_control_characters_and_names_are_written_as_the_rfc_says() -> None:
    value = {"b": '\x00\x1f\b\t\n\f\r"\\/\x7f\u2028é😀', "a": [1, True, None, {}], "B": {"é": 1, "😀": 2, "\ufb33": 3}}
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.parametrize("value", [{"a": 2**53}, {"a": float("nan")}, {"a": object()}, {1: "a"}, {"a": "\ud800"}])
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises((rfc8785.CanonicalizationError, UnicodeEncodeError)):
        canonical_json(value)
