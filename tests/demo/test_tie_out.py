"""The tie-out against planted faults: each must be found, and a clean run must have none."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.demo.expectations import Expected, expectations
from gateway.demo.northwind import load_northwind
from gateway.demo.tie_out import Claim, Found, TieOut, tie_out

CENT = Decimal("0.01")


class World:
    """Input, ERPs and claims that agree: lineages go to the two ERPs in turns."""

    def __init__(self) -> None:
        self.expected = expectations(load_northwind())[:60]
        self.customers: dict[tuple[str, str], str] = {}
        self.found: list[Found] = []
        self.claims: list[Claim] = []
        for position, document in enumerate(self.expected):
            system = "legacy-main" if int(document.lineage) % 2 else "cloud-main"
            self.customers[system, document.customer] = f"1{document.customer}"
            reference = f"REF{position:013d}"
            number = f"{position:010d}"
            self.found.append(
                Found(
                    system_id=system,
                    domain=document.domain,
                    number=number,
                    reference=reference,
                    customer=f"001{document.customer}",
                    currency=document.currency,
                    total=document.total,
                    line_total=document.total,
                    lines=document.lines,
                    company_code=None if document.domain == "orders" else document.company_code,
                    posting_date=document.posting_date,
                )
            )
            self.claims.append(
                Claim(
                    domain=document.domain,
                    source=document.source,
                    external_id=document.external_id,
                    status="posted",
                    reference=reference,
                    system_id=system,
                    number=number,
                )
            )

    def judge(self) -> TieOut:
        return tie_out(self.expected, self.found, self.claims, self.customers)

    def kinds(self) -> set[str]:
        return {fault.kind for fault in self.judge().faults}

    def index(self, domain: str, skip: int = 0) -> int:
        return [at for at, one in enumerate(self.found) if one.domain == domain][skip]


def _missing(world: World) -> None:
    del world.found[world.index("invoices")]


def _duplicate(world: World) -> None:
    world.found.append(replace(world.found[world.index("orders")], number="9999999999"))


def _duplicate_without_reference(world: World) -> None:
    world.found.append(replace(world.found[world.index("orders")], number="9999999999", reference=""))


def _in_both(world: World) -> None:
    one = world.found[world.index("payments")]
    world.found.append(replace(one, system_id="cloud-main" if one.system_id == "legacy-main" else "legacy-main"))


def _lineage_split(world: World) -> None:
    at = world.index("invoices")
    other = "cloud-main" if world.found[at].system_id == "legacy-main" else "legacy-main"
    world.found[at] = replace(world.found[at], system_id=other)
    world.claims[at] = replace(world.claims[at], system_id=other)
    world.customers[other, world.expected[at].customer] = f"1{world.expected[at].customer}"


def _add_to_first_line(world: World, at: int, amount: Decimal) -> None:
    one = world.found[at]
    world.found[at] = replace(
        one,
        lines=(one.lines[0] + amount, *one.lines[1:]),
        total=one.total + amount,
        line_total=one.line_total + amount,
    )


def _cent_off(world: World) -> None:
    _add_to_first_line(world, world.index("orders"), CENT)


def _two_that_cancel(world: World) -> None:
    _add_to_first_line(world, world.index("orders"), CENT)
    _add_to_first_line(world, world.index("orders", 1), -CENT)


def _two_lines_that_cancel(world: World) -> None:
    at = next(at for at, one in enumerate(world.found) if len(one.lines) > 1)
    one = world.found[at]
    world.found[at] = replace(one, lines=(one.lines[0] + CENT, one.lines[1] - CENT, *one.lines[2:]))


def _lines_exchanged(world: World) -> None:
    at = next(at for at, one in enumerate(world.found) if len(set(one.lines)) > 1)
    world.found[at] = replace(world.found[at], lines=tuple(reversed(world.found[at].lines)))


def _unbalanced(world: World) -> None:
    at = world.index("invoices")
    world.found[at] = replace(world.found[at], line_total=world.found[at].line_total - CENT)


def _swapped(world: World) -> None:
    """Two orders of one size stand under each other's reference."""
    first, second = world.index("orders"), world.index("orders", 2)
    one, other = world.found[first], world.found[second]
    world.found[first] = replace(other, reference=one.reference, number=one.number)
    world.found[second] = replace(one, reference=other.reference, number=other.number)


def _wrong_currency(world: World) -> None:
    world.found[0] = replace(world.found[0], currency="EUR")


def _wrong_customer(world: World) -> None:
    world.found[0] = replace(world.found[0], customer="4711")


def _wrong_date(world: World) -> None:
    at = world.index("invoices")
    world.found[at] = replace(world.found[at], posting_date=world.expected[at].posting_date.replace(year=1999))


def _wrong_company(world: World) -> None:
    at = world.index("invoices")
    world.found[at] = replace(world.found[at], company_code="1710")


def _wrong_kind(world: World) -> None:
    world.found[world.index("invoices")] = replace(world.found[world.index("invoices")], domain="payments")


def _wrong_number(world: World) -> None:
    world.claims[0] = replace(world.claims[0], number="4711")


def _not_posted(world: World) -> None:
    world.claims[0] = replace(world.claims[0], status="in_doubt")


def _unknown(world: World) -> None:
    del world.claims[0]


PLANTED: dict[Callable[[World], None], str] = {
    _missing: "missing",
    _duplicate: "duplicate",
    _duplicate_without_reference: "stranger",
    _in_both: "in_both",
    _lineage_split: "lineage_split",
    _cent_off: "line_differs",
    _two_that_cancel: "line_differs",
    _two_lines_that_cancel: "line_differs",
    _lines_exchanged: "line_differs",
    _unbalanced: "unbalanced",
    _swapped: "line_differs",
    _wrong_currency: "currency_differs",
    _wrong_customer: "customer_differs",
    _wrong_date: "date_differs",
    _wrong_company: "company_differs",
    _wrong_kind: "kind_differs",
    _wrong_number: "claim_differs",
    _not_posted: "not_posted",
    _unknown: "unknown_to_gateway",
}


def test_what_agrees_ties_out() -> None:
    result = World().judge()
    assert result.holds
    assert not result.faults
    assert all(placed.system_id for placed in result.placed)


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__.strip("_"))
def test_a_planted_fault_is_found(plant: Callable[[World], None]) -> None:
    world = World()
    plant(world)
    assert PLANTED[plant] in world.kinds()
    assert not world.judge().holds


def _somebody_else_s(world: World) -> None:
    """An order that another caller sent through the same gateway, after the demo's."""
    at = world.index("orders")
    world.found.append(replace(world.found[at], number="9999999999", reference="ZZZZZZZZZZZZZZZZ"))
    claim = next(one for one in world.claims if one.reference == world.found[at].reference)
    world.claims.append(replace(claim, external_id="mine", number="9999999999", reference="ZZZZZZZZZZZZZZZZ"))


def test_another_caller_s_document_is_no_fault_as_long_as_it_stands_once() -> None:
    world = World()
    _somebody_else_s(world)
    result = world.judge()
    assert (result.holds, result.others) == (True, 1)
    world.found.append(replace(world.found[-1], number="8888888888"))
    assert "not_once" in world.kinds()
    world.found = world.found[:-2]
    assert "not_once" in world.kinds()


def test_errors_that_cancel_leave_the_sums_alone() -> None:
    world = World()
    _two_that_cancel(world)
    assert "sum_differs" not in world.kinds()


def test_a_missing_document_shows_in_count_and_sum_too() -> None:
    world = World()
    _missing(world)
    assert {"missing", "count_differs", "sum_differs"} <= world.kinds()


def _lineages(expected: list[Expected]) -> Iterator[str]:
    yield from (document.lineage for document in expected)


def test_expectations_cover_the_whole_input() -> None:
    expected = expectations(load_northwind())
    assert len(expected) == 830 + 809 + 809
    assert len(set(_lineages(expected))) == 830
    assert all(sum(document.lines) == document.total for document in expected)
    assert sum(document.total for document in expected) == Decimal("1265793.02") + 2 * Decimal("1303810.62")
