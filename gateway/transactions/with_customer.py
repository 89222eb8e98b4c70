"""Accepting an order with its new customer: two documents, two transactions, two decisions, one commit.

The order refers to its customer by the customer's external id, as any order does, and waits for it as any document
waits for a master. So nothing of the order's own way differs: it is the same document as one that names the customer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from gateway.domain.new_customer import CUSTOMER_OF_ORDER, MEMBER, ORDER_OF_CUSTOMER, about_the_customer
from gateway.domain.records import NaturalKeyRecord, TransactionRecord
from gateway.domain.transaction import FAILED_ENDS, Status
from gateway.errors import FieldError, Problem
from gateway.transactions.begin import Accepted
from gateway.transactions.commands import Create
from gateway.transactions.draft import Draft
from gateway.transactions.links import Coming
from gateway.transactions.parts import LineParts
from gateway.transactions.ports import DocumentName, WriteUnit
from gateway.transactions.prepare import Prepared, prepare, write
from gateway.transactions.repeats import by_natural_key, natural_key
from gateway.transactions.scope import refuse_out_of_scope, refuse_unknown_nodes

_SOON_S: Final = 5
_AS_IT_IS: Final = (
    "the customer is not created again: send it as it was accepted, or send `customer` with its externalId in place of "
    "newCustomer; correct the customer itself by PATCH /v1/customers/{documentId}"
)


@dataclass(frozen=True, slots=True)
class WithCustomer:
    """An order in hand, with the customer that came with it.

    `order`, `customer`: each as if it had been submitted by itself. `known`: what is known under the customer's
    natural key; `made_by`: the transaction that made it last.
    """

    unit: WriteUnit
    parts: LineParts
    order: Create
    order_draft: Draft
    customer: Create
    customer_draft: Draft
    known: NaturalKeyRecord | None
    made_by: TransactionRecord | None

    @classmethod
    async def of(cls, unit: WriteUnit, parts: LineParts, command: Create, draft: Draft) -> WithCustomer | None:
        """Look the customer up; None where none came. Raises Problem: out-of-scope, unknown-node."""
        if command.new_customer is None or draft.customer is None:
            return None
        customer = Create(
            command.caller, command.new_customer, traceparent=command.traceparent, queueing=command.queueing
        )
        with about_the_customer():
            refuse_out_of_scope(customer.document, command.caller.data_scope, parts.rules.rulebook)
            refuse_unknown_nodes(customer.document, parts.rules.rulebook)
        known = await natural_key(unit, customer)
        made_by = None
        if known is not None and known.transaction_id is not None:
            made_by = (await unit.transactions([known.transaction_id])).get(known.transaction_id)
        return cls(unit, parts, command, draft, customer, draft.customer, known, made_by)

    async def refuse_other(self) -> None:
        """Raise Problem `natural-key-conflict` if the customer was accepted with other content: the same order with
        another customer is no repeat."""
        if self.known is not None and self.known.transaction_id is not None:
            there = self.made_by is not None and self.made_by.status not in FAILED_ENDS
            with about_the_customer(_AS_IT_IS if there else ""):
                await by_natural_key(self.unit, self.customer, self.customer_draft, self.known)

    async def accept(self, key: NaturalKeyRecord | None) -> Accepted:
        """Accept an order that was not accepted before. `key`: what is known under its natural key.

        A customer that is known with this content is used, one whose creation left nothing is created again. Raises
        Problem: natural-key-conflict, duplicate-master (it was imported by its number), document-busy (it is being
        taken back), unknown-reference (the two belong to different systems), and whatever routing refuses of either.
        """
        if self.known is None:
            return await self._both(self.customer, key)
        if self.made_by is None:
            raise Problem(
                "duplicate-master",
                f"{MEMBER}: {self.customer.document.external_id} is a customer that was imported by its number",
                remedy="send `customer` with its externalId in place of newCustomer",
                errors=(FieldError(MEMBER, "is known already", "refer to it by `customer`"),),
                extra={"documentId": self.known.document_id},
            )
        if self.made_by.status in FAILED_ENDS:
            self._refuse_older(self.made_by)
            return await self._both(replace(self.customer, replaces=self.made_by.transaction_id), key)
        if self.made_by.status is Status.COMPENSATING:
            # whatever it is sent as: what is to be made again may be corrected
            raise Problem(
                "document-busy",
                f"{MEMBER}: the customer is being taken back with the order with which it came first",
                remedy="send the same request again after `retryAfterS` seconds",
                retry_after_s=_SOON_S,
                extra={"busyWithTransactionId": self.made_by.transaction_id},
            )
        await self.refuse_other()
        order = await prepare(self.unit, self.parts, self.order, self.order_draft, key)
        # it came with this order too, whoever asked for it first
        record = replace(order.record, new_customer_id=self.known.document_id)
        order = replace(order, record=record, members={CUSTOMER_OF_ORDER: self.made_by.transaction_id})
        return await write(self.unit, self.parts, order)

    def _refuse_older(self, made_by: TransactionRecord) -> None:
        """Raise Problem `in-flight` where this request's ids were drawn before those of the attempt that it is to come
        after: attempts are in the order of their ids, for whoever reads them later."""
        if self.customer_draft.transaction_id < made_by.transaction_id:
            raise Problem(
                "in-flight",
                f"{MEMBER}: another order with this customer was accepted while this one was on its way",
                remedy="send the same request again",
                retry_after_s=_SOON_S,
            )

    async def _both(self, command: Create, key: NaturalKeyRecord | None) -> Accepted:
        """The customer is made, and then the order. `command`: the customer's."""
        unit, parts = self.unit, self.parts
        with about_the_customer():
            if command.replaces is not None and self.known is not None:
                await by_natural_key(unit, command, self.customer_draft, self.known)
            customer = await prepare(unit, parts, command, self.customer_draft, self.known)
        for_order = {ORDER_OF_CUSTOMER: self.order_draft.transaction_id}
        document = replace(customer.document, made_for=self.order_draft.transaction_id)
        customer = replace(customer, document=document, members=for_order)
        name = DocumentName(document.domain, source=document.source, external_id=document.external_id)
        coming = Coming(name, document, customer.record)
        order = await prepare(unit, parts, self.order, self.order_draft, key, coming)
        _refuse_parted(customer, order)
        order = replace(order, members={CUSTOMER_OF_ORDER: customer.record.transaction_id})
        first = await write(unit, parts, customer)
        then = await write(unit, parts, order)
        return replace(then, dispatch=first.dispatch, woken_jobs=first.woken_jobs + then.woken_jobs)


def _refuse_parted(customer: Prepared, order: Prepared) -> None:
    """Raise Problem `unknown-reference` if the customer is decided to go elsewhere than the order: it would never
    have a number there, and neither is sent elsewhere than decided."""
    there, here = customer.routed.expected, order.routed.expected
    if not there or not here or there == here:
        return
    raise Problem(
        "unknown-reference",
        f"{MEMBER} belongs to {there}, and this order to {here}, where the customer would have no number",
        remedy=f"have the customer created in {here}, import its cross-reference, and send `customer`",
        errors=(
            FieldError(MEMBER, f"belongs to {there}, not to {here}", f"have it created in {here} and refer to it"),
        ),
        extra={"customerSystemId": there, "orderSystemId": here},
    )
