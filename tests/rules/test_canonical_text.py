"""A stored version comes back as the rulebook that it was: the same versions, the same decisions."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing_rules import Facts, Rulebook, RulebookInvalid, decide, load_rulebook, parse_rulebook
from routing_rules.canonical_text import canonical_files, rulebook_from_canonical
from tests.rules.random_tables import wild_table
from tests.rules.test_moves import files as files_of
from tests.rules.test_rulebook import BASE, PILOT, YAML, book

SAMPLE = Path(__file__).parents[2] / "routing_rules" / "tables"


def again(rulebook: Rulebook) -> Rulebook:
    return rulebook_from_canonical(rulebook.canonical_json(), rulebook.governance_json())


def assert_same(one: Rulebook) -> None:
    other = again(one)
    assert (other.version, other.governance_version) == (one.version, one.governance_version)
    assert other.tables == one.tables
    assert other.systems == one.systems
    for tree, same in ((other.business_units, one.business_units), (other.geographies, one.geographies)):
        assert (tree.root, dict(tree.parents)) == (same.root, dict(same.parents))


def test_the_sample_comes_back_and_decides_alike() -> None:
    sample = load_rulebook(SAMPLE)
    assert_same(sample)
    facts = Facts(domain="orders", operation="create", business_unit="Western", geography="US")
    assert decide(again(sample), facts) == decide(sample, facts)


def test_every_kind_of_cell_and_section_comes_back() -> None:
    assert_same(book(PILOT, BASE, invoices=BASE))
    shared = YAML + "share_by: {orders: document}\npolicies: {a: [1, true, null, {b: '2'}]}\n"
    assert_same(book(PILOT.replace(",note", ',"two\nlines, and ""quotes"""'), BASE, yaml=shared))


@pytest.mark.parametrize("seed", range(40))
def test_random_tables_come_back(seed: int) -> None:
    assert_same(parse_rulebook(files_of(wild_table(Random(seed)))))


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=30))
def test_any_text_of_a_name_comes_back(text: str) -> None:
    name = json.dumps(text, ensure_ascii=True)
    if any(ord(one) > 0xFFFF for one in text):  # YAML has no surrogate pairs
        name = '"' + "".join(f"\\U{ord(one):08x}" for one in text) + '"'
    assert_same(book(BASE, yaml=YAML.replace("name: France", f"name: {name}")))


@pytest.mark.parametrize(
    ("rules", "governance", "says"),
    [
        (b"{", None, "no JSON"),
        (b"[]", None, "format rules/v1"),
        (b'{"format":"rules/v2"}', None, "format rules/v1"),
        (b'{"format":"rules/v1"}', None, "lack what their format has"),
        (None, b'{"format":"governance/v2"}', "format governance/v1"),
    ],
)
def test_other_texts_are_refused(rules: bytes | None, governance: bytes | None, says: str) -> None:
    one = book(BASE)
    with pytest.raises(RulebookInvalid, match=says):
        rulebook_from_canonical(rules or one.canonical_json(), governance or one.governance_json())


def test_a_text_that_means_the_same_but_is_other_bytes_is_refused() -> None:
    one = book(PILOT, BASE)
    spaced = json.dumps(json.loads(one.canonical_json())).encode()
    with pytest.raises(RulebookInvalid, match="other bytes"):
        rulebook_from_canonical(spaced, one.governance_json())


def test_a_row_that_the_parser_refuses_is_refused_with_its_place() -> None:
    one = book(PILOT, BASE)
    broken = one.canonical_json().replace(b'"stage":"pilot"', b'"stage":"pilott"')
    with pytest.raises(RulebookInvalid, match=r"orders\.csv:2:.*pilott"):
        rulebook_from_canonical(broken, one.governance_json())


def test_the_files_can_be_edited_as_a_draft() -> None:
    one = book(PILOT, BASE)
    assert set(canonical_files(one.canonical_json(), one.governance_json())) == {"rulebook.yaml", "orders.csv"}
