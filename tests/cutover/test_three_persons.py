"""Author, approver and activator: whatever is done in whatever order, an activation takes three persons."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.cutover.three_persons import Named, Standing, owners_touched
from gateway.domain.drafts import ApprovalRecord, WaiverRecord
from routing_rules import Rulebook, parse_rulebook

PERSONS = ("ann", "ben", "cat", "dan")
TEAMS = {"ann": {"sales"}, "ben": {"sales", "books"}, "cat": {"books"}, "dan": {"sales"}}
OWNERS = {"orders": frozenset({"sales"}), "payments": frozenset({"books"})}

ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("edit"), st.sampled_from(PERSONS)),
        st.tuples(st.just("approve"), st.sampled_from(PERSONS)),
        st.tuples(st.just("waive"), st.sampled_from(PERSONS)),
        st.tuples(st.sampled_from(["other base", "other simulation"]), st.just("ann")),
        st.tuples(st.just("activate"), st.sampled_from(PERSONS)),
    ),
    max_size=40,
)


@dataclass
class Story:
    """A draft as the rules see it, and beside it, in plain words, what was done since the last thing that voids."""

    standing: Standing
    authors: set[str]
    approved_since: set[str]

    @classmethod
    def begun_by(cls, person: str) -> Story:
        now = Named(
            draft_version=1,
            table_version="t",
            governance_version="g",
            base_activation_number=1,
            base_table_version="b",
            base_governance_version="bg",
            simulation_digest=None,
        )
        editors = frozenset({person})
        return cls(Standing(now=now, editors=editors, owners=OWNERS, approvals=(), teams={}), {person}, set())

    def name(self, **changes: object) -> None:
        self.standing = replace(self.standing, now=replace(self.standing.now, **changes))
        self.approved_since = set()
        if "simulation_digest" in changes:
            self.standing = replace(self.standing, stored=frozenset({str(changes["simulation_digest"])}))

    def edit(self, person: str) -> None:
        self.authors.add(person)
        self.standing = replace(self.standing, editors=frozenset(self.authors))
        self.name(draft_version=self.standing.now.draft_version + 1)

    def approve(self, person: str) -> None:
        if self.standing.refuses_approval(person, TEAMS[person]) is not None:
            return
        one = approval(person, self.standing.now, f"apr_{len(self.standing.approvals)}")
        self.standing = replace(
            self.standing,
            approvals=[*self.standing.approvals, one],
            teams={**self.standing.teams, one.approval_id: frozenset(TEAMS[person])},
        )
        self.approved_since.add(person)

    def waive(self, person: str) -> None:
        if self.standing.refuses_waiver(person) is None:
            self.standing = replace(self.standing, waivers=[*self.standing.waivers, waiver(person, self.standing.now)])


def approval(person: str, named: Named, approval_id: str = "apr_1") -> ApprovalRecord:
    return ApprovalRecord(
        approval_id, "drf_1", named.draft_version, named.table_version, named.governance_version,
        named.base_activation_number, named.base_table_version, named.base_governance_version,
        None, named.simulation_digest, person, f"{person}-laptop", "[]", 1,
    )  # fmt: skip


def waiver(person: str, named: Named) -> WaiverRecord:
    return WaiverRecord(
        "wvr_1", "drf_1", named.draft_version, "calendar", named.table_version, named.governance_version,
        named.base_activation_number, person, f"{person}-laptop", "pay_1", 1, 99,
    )  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(ACTIONS)
def test_no_order_of_actions_makes_an_activation_of_fewer_than_three_persons(actions: Iterable[tuple[str, str]]):
    story = Story.begun_by("ann")
    for what, person in actions:
        match what:
            case "edit":
                story.edit(person)
            case "approve":
                story.approve(person)
            case "waive":
                story.waive(person)
            case "other base":
                story.name(base_activation_number=story.standing.now.base_activation_number + 1)
            case "other simulation":
                story.name(simulation_digest=f"{story.standing.now.simulation_digest}+")
            case _:
                if story.standing.refuses_activation(person) is None:
                    approvers = story.approved_since - story.authors
                    assert approvers, "nobody but authors approved what is about to come into force"
                    assert person not in story.authors | story.standing.approvers
                    assert person not in {one.person for one in story.standing.waivers}
                    assert len({*story.authors, *approvers, person}) >= 3
                    for owning in OWNERS.values():
                        assert any(TEAMS[one] & owning for one in approvers)


def test_three_persons_of_the_owning_teams_may():
    story = Story.begun_by("ann")
    story.approve("ben")
    assert story.standing.approved
    assert story.standing.refuses_activation("dan") is None


@pytest.mark.parametrize("field", list(Named.__dataclass_fields__))
def test_an_approval_is_void_as_soon_as_anything_that_it_names_is_another(field: str):
    story = Story.begun_by("ann")
    story.approve("ben")
    story.name(**{field: 7 if isinstance(getattr(story.standing.now, field), int) else "other"})
    [judged] = story.standing.judged()
    assert judged.void
    assert not story.standing.approved


def test_a_simulation_run_again_leaves_the_approval_of_the_first_one_standing():
    story = Story.begun_by("ann")
    story.name(simulation_digest="first")
    story.approve("ben")
    story.standing = replace(
        story.standing,
        now=replace(story.standing.now, simulation_digest="again"),
        stored=frozenset({"first", "again"}),
    )
    assert story.standing.approved


def test_every_domain_needs_its_own_owner():
    story = Story.begun_by("ann")
    story.approve("cat")
    assert story.standing.missing == ("orders",)
    story.approve("dan")
    assert story.standing.approved
    assert story.standing.refuses_activation("ben") is None


def test_whoever_waived_a_gate_does_not_activate():
    story = Story.begun_by("ann")
    story.approve("ben")
    story.waive("dan")
    assert "waived" in str(story.standing.refuses_activation("dan"))
    assert story.standing.refuses_activation("cat") is None


def test_whoever_activates_neither_approves_nor_waives_and_a_waiver_of_theirs_does_not_count():
    story = Story.begun_by("ann")
    story.waive("dan")
    assert len(story.standing.counted()) == 1
    story.standing = replace(story.standing, activator="dan")
    assert "activates" in str(story.standing.refuses_approval("dan", TEAMS["dan"]))
    assert "activates" in str(story.standing.refuses_waiver("dan"))
    assert story.standing.counted() == []


def test_whoever_edits_after_approving_makes_the_approval_void():
    story = Story.begun_by("ann")
    story.approve("ben")
    story.edit("ben")
    assert "author" in " ".join(story.standing.judged()[0].void)


def test_an_owner_is_asked_of_the_rules_in_force():
    base = book(owners="owners: {orders: [sales], payments: [books]}")
    stolen = book(owners="owners: {orders: [books], payments: [books]}")
    assert owners_touched(base, stolen) == {"orders": {"sales"}}


def test_a_changed_table_touches_its_own_domain():
    base = book(owners="owners: {orders: [sales], payments: [books]}")
    assert owners_touched(base, base) == {}
    assert owners_touched(base, book(owners="owners: {orders: [sales], payments: [books]}", orders_overlay="hold")) == {
        "orders": {"sales"}
    }


@pytest.mark.parametrize(
    "more", ["thresholds: {x: 1}", "policies: {x: 1}", "required_checks: [{id: calendar, waivable: true}]"]
)
def test_what_governs_all_changes_touches_every_domain(more: str):
    base = book(owners="owners: {orders: [sales], payments: [books]}")
    other = book(owners=f"owners: {{orders: [sales], payments: [books]}}\n{more}")
    assert owners_touched(base, other) == {"orders": {"sales"}, "payments": {"books"}}


def test_another_tree_touches_every_domain():
    base = book(owners="owners: {orders: [sales], payments: [books]}")
    other = book(owners="owners: {orders: [sales], payments: [books]}", places="{id: World, name: All the world}")
    assert owners_touched(base, other) == {"orders": {"sales"}, "payments": {"books"}}


def test_a_domain_without_owner_is_for_any_owning_team_and_a_rulebook_without_owners_for_anybody():
    base = book(owners="owners: {payments: [books]}")
    assert owners_touched(base, book(owners="owners: {payments: [books]}", orders_overlay="hold")) == {
        "orders": {"books"}
    }
    assert owners_touched(book(), book(orders_overlay="hold")) == {"orders": frozenset()}


def book(owners: str = "", orders_overlay: str = "", places: str = "{id: World, name: World}") -> Rulebook:
    ground = f"""
rulebook: small
business_units: {{id: Group, name: Group}}
geographies: {places}
systems:
  - id: old
    name: Old
    side: legacy
    driver: sap_ecc
    regions: [World]
    domains: [orders, payments]
    budget: {{concurrent: 8, calls_per_minute: 6000}}
    longest_execution_s: 150
    inquiry_delay_s: 1
    enforces_unique_reference: false
{owners}
"""
    header = (
        "row,operation,business_unit,geography,company_code,document_type,customer_segment,amount,"
        "valid_from,valid_to,stage,legacy_system,cloud_system,share,allow,overlay,note\n"
    )
    return parse_rulebook(
        {
            "rulebook.yaml": ground.encode(),
            "orders.csv": f"{header}o,,,,,,,,,,legacy,old,,,,{orders_overlay},\n".encode(),
            "payments.csv": f"{header}p,,,,,,,,,,legacy,old,,,,,\n".encode(),
        }
    )
