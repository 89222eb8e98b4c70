"""Reading documents back: by reference, by number, by day. Posts nothing.

Pages go by key, not by offset: the next one asks for keys behind the last, so a document that is posted meanwhile
neither repeats nor hides another, and a server that cuts a page by itself (`__next`) is followed by the same means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Final

from adapters import mirrors
from adapters.canonical import ErpNumber, Product
from adapters.cloud_erp.sap_s4.nouns import Noun, domain_of, noun_of
from adapters.cloud_erp.sap_s4.services import PARTNERS, PRODUCTS, Services
from adapters.cloud_erp.sap_s4.settings import S4Settings
from adapters.cloud_erp.sap_s4.translate import accounting, customers, fields, products
from adapters.cloud_erp.sap_s4.wire import Row, text_literal
from adapters.errors import Garbled, Misconfigured
from adapters.port import ControlTotals, FoundDocument, Page, Search, Submission

_LARGEST_PAGE: Final = 1_000
_SAME_REFERENCE: Final = 20
"""More documents than this with one reference are not looked at; two are already a case for a person."""


class Reader:
    """Documents of one system as it holds them."""

    def __init__(self, system_id: str, settings: S4Settings, services: Services) -> None:
        self._system_id = system_id
        self._settings = settings
        self._services = services

    def noun(self, domain: str) -> Noun:
        """How documents of `domain` are read; `Misconfigured` for a domain that is not kept here."""
        return noun_of(domain, self._settings, self._system_id)

    async def by_reference(self, domain: str, reference: str) -> tuple[FoundDocument, ...]:
        """All documents of the domain's kind that carry the reference, mirrors included."""
        noun, wanted = self.noun(domain), fields.reference(reference)
        condition = f"{noun.reference} eq {text_literal(wanted)}"
        rows = await self._services.client(noun.address).find(
            noun.address, condition, expand=noun.expand, top=_SAME_REFERENCE
        )
        if rows.more:
            raise Garbled(f"more documents carry one reference than {len(rows.rows)}")
        found = tuple(noun.found(row) for row in rows.rows)
        if any(document.external_reference != wanted for document in found):
            raise Garbled("the answer holds documents that were not asked for")
        return tuple([await self._with_mirror(document) for document in found])

    async def by_number(self, number: ErpNumber) -> FoundDocument | None:
        """The document of that number with the number of its mirror; None if there is none."""
        noun = self.noun(domain_of(number.document_type))
        row = await self.row(number, noun.expand)
        return None if row is None else await self._with_mirror(noun.found(row))

    async def row(self, number: ErpNumber, expand: Sequence[str]) -> Row | None:
        """The entity of that number as it stands; None if there is none."""
        if number.system_id != self._system_id:
            raise Misconfigured(f"{number} is not a number of {self._system_id}")
        form = fields.FORMS.get(number.document_type)
        if form is None:
            raise Misconfigured(f"a {number.document_type} cannot be read here")
        if form.match(number.document_number) is None:
            return None
        noun = self.noun(domain_of(number.document_type))
        condition = self._number_is(noun, number)
        needed = dict.fromkeys((*noun.expand, *expand))
        rows = await self._services.client(noun.address).find(noun.address, condition, expand=tuple(needed), top=2)
        found = [row for row in rows.rows if noun.found(row).number == number]
        if len(found) != len(rows.rows) or len(found) > 1 or rows.more:
            raise Garbled("the answer holds other documents than the one that was asked for")
        return found[0] if found else None

    async def holds_product(self, submission: Submission) -> bool:
        """True if the product of this submission is there, under its reference."""
        condition = f"Product eq {text_literal(fields.reference(submission.external_reference))}"
        rows = await self._services.client(PRODUCTS).find(PRODUCTS, condition, expand=products.EXPAND, top=2)
        product = submission.document
        return isinstance(product, Product) and any(
            products.is_product(row, product, self._settings) for row in rows.rows
        )

    async def page(self, search: Search) -> Page:
        """Documents of a domain by day, in the order of their keys. `reversed_by` is not looked up.

        Masters go by the day of their creation and have no company.
        """
        noun = self.noun(search.domain)
        limit = max(1, min(search.limit, _LARGEST_PAGE))
        conditions = self._conditions(noun, search)
        documents: list[FoundDocument] = []
        cursor, at_once = search.cursor, self._settings.page_rows
        while True:
            wanted = min(limit - len(documents), at_once)
            after = [self._behind(noun, cursor)] if cursor else []
            condition = " and ".join(conditions + after)
            order = ",".join(noun.keys)
            try:
                rows = await self._services.client(noun.address).find(
                    noun.address, condition, order=order, expand=noun.expand, top=wanted
                )
            except Garbled:
                # A page of documents with hundreds of items each may exceed the limit of an answer.
                if wanted == 1:
                    raise
                at_once = max(1, wanted // 4)
                continue
            documents += [noun.found(row) for row in rows.rows if self._belongs(search.domain, row)]
            if not rows.rows and rows.more:
                raise Garbled("a page without documents says that more follow")
            if len(rows.rows) < wanted and not rows.more:
                return Page(tuple(documents))
            last = "/".join(rows.rows[-1].number(key) for key in noun.keys)
            if last == cursor:
                raise Garbled("the answer repeats a page")
            cursor = last
            if len(documents) >= limit:
                return Page(tuple(documents), cursor)

    async def totals(self, search: Search) -> ControlTotals:
        """Count and money by currency of all that `page` would find, page by page."""
        count, sums = 0, dict[str, Decimal]()
        search = replace(search, limit=_LARGEST_PAGE, cursor="")
        while True:
            page = await self.page(search)
            for document in page.documents:
                count += 1
                if document.currency_code is not None and document.total is not None:
                    sums[document.currency_code] = sums.get(document.currency_code, Decimal(0)) + document.total
            if not page.next_cursor:
                return ControlTotals(count, sums)
            search = replace(search, cursor=page.next_cursor)

    async def _with_mirror(self, document: FoundDocument) -> FoundDocument:
        """The document with the numbers of the entries that mirror it and stand themselves, if there are any."""
        if document.number.document_type != "accounting_document":
            return document
        reversals = await mirrors.standing(document.number.document_number, self._mirrors_of)
        return replace(document, reversed_by=next(iter(reversals), None), also_reversed_by=reversals[1:])

    async def _mirrors_of(self, number: str) -> list[str]:
        text = accounting.mirror_text(number)
        condition = (
            f"AccountingDocumentHeaderText eq {text_literal(text)}"
            f" and AccountingDocumentType eq {text_literal(self._settings.document_types.reversal)}"
        )
        noun = self.noun("invoices")
        rows = await self._services.client(noun.address).find(
            noun.address, condition, expand=noun.expand, top=_SAME_REFERENCE
        )
        return [noun.found(row).number.document_number for row in rows.rows]

    def _number_is(self, noun: Noun, number: ErpNumber) -> str:
        parts = number.document_number.split("/") if len(noun.keys) > 1 else [number.document_number]
        same = " and ".join(f"{key} eq {text_literal(part)}" for key, part in zip(noun.keys, parts, strict=True))
        # A customer's number may differ from its partner's where the numbers were assigned apart.
        return (
            same if noun.address != PARTNERS else f"Customer eq {text_literal(parts[0])} or ({same} and Customer eq '')"
        )

    def _conditions(self, noun: Noun, search: Search) -> list[str]:
        day, conditions = self._services.client(noun.address).dialect.day_literal, []
        if search.posted_from is not None:
            conditions.append(f"{noun.day} ge {day(search.posted_from)}")
        if search.posted_until is not None:
            # Before the next day, because a creation date has a time of day beside it.
            conditions.append(f"{noun.day} lt {day(search.posted_until + timedelta(days=1))}")
        if search.company_code is not None:
            company = self._settings.company(search.company_code)
            if not noun.company:
                raise Misconfigured(f"{search.domain} belong to no company in this system")
            code = company.sales_organization if noun.company == "SalesOrganization" else company.code
            conditions.append(f"{noun.company} eq {text_literal(code)}")
        if noun.kinds:
            either = " or ".join(f"AccountingDocumentType eq {text_literal(kind)}" for kind in noun.kinds)
            conditions.append(f"({either})")
        return conditions

    def _behind(self, noun: Noun, cursor: str) -> str:
        """The condition for keys behind this one: `(a gt x or (a eq x and b gt y) …)`."""
        parts = cursor.split("/") if len(noun.keys) > 1 else [cursor]
        if len(parts) != len(noun.keys) or not cursor.isprintable() or not all(parts):
            raise Misconfigured("the cursor is not one of this system")
        steps = []
        for index, (key, part) in enumerate(zip(noun.keys, parts, strict=True)):
            same = [f"{key} eq {text_literal(value)}" for key, value in zip(noun.keys, parts[:index], strict=False)]
            steps.append(" and ".join([*same, f"{key} gt {text_literal(part)}"]))
        return "(" + " or ".join(f"({step})" for step in steps) + ")"

    def _belongs(self, domain: str, row: Row) -> bool:
        return domain != "customers" or customers.is_customer(row, self._settings)
