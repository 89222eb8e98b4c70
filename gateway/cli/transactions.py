"""`erp-gateway transactions list|show`: from the record itself, whether the gateway runs or not."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from adapters.port import Operation
from gateway.cli.console import DataOption, Failure, JsonOption, data_directory, print_json, print_table
from gateway.cli.record import reading
from gateway.domain.identity import external_reference
from gateway.domain.queries import TransactionFilter, Visible
from gateway.domain.records import TransactionRecord
from gateway.domain.transaction import Status
from gateway.domain.wire import transaction_wire
from gateway.store.store import Store

app = typer.Typer(no_args_is_help=True)
EVERYTHING = Visible()


def wire(record: TransactionRecord) -> dict[str, Any]:
    """As the API shows it."""
    reference = external_reference(record.transaction_id, 1, "do") if record.system_id else None
    return transaction_wire(record, external_reference=reference)


@app.command("list")
def list_(
    data: DataOption = None,
    external_id: Annotated[str | None, typer.Option(help="The caller's own id.")] = None,
    erp_number: Annotated[str | None, typer.Option(help="The number in an ERP.")] = None,
    system: Annotated[str | None, typer.Option(help="The system it went to.")] = None,
    status: Annotated[Status | None, typer.Option(help="Its status.")] = None,
    domain: Annotated[str | None, typer.Option(help="Its domain.")] = None,
    operation: Annotated[Operation | None, typer.Option(help="What was asked for.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000, help="At most so many, newest first.")] = 20,
    json: JsonOption = False,
) -> None:
    """The newest transactions that match."""
    where = TransactionFilter(
        external_id=external_id,
        erp_document_number=erp_number,
        system_id=system,
        status=status.value if status else None,
        domain=domain,
        operation=operation.value if operation else None,
    )

    async def ask(store: Store) -> list[TransactionRecord]:
        return list(await store.reads.transactions(where, EVERYTHING, limit, None))

    records = reading(data_directory(data), ask)
    if json:
        print_json([wire(record) for record in records])
        return
    print_table(
        ["transaction", "domain", "operation", "external id", "status", "system", "number", "amount"],
        [
            (
                record.transaction_id,
                record.domain,
                record.operation,
                record.external_id or "",
                record.status.value,
                record.system_id or "",
                record.erp_document_number or "",
                f"{record.amount} {record.currency_code}" if record.amount else "",
            )
            for record in records
        ],
    )


@app.command()
def show(
    transaction: Annotated[str, typer.Argument(help="The transaction's id.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """One transaction."""

    async def ask(store: Store) -> TransactionRecord | None:
        return await store.reads.transaction(transaction, EVERYTHING)

    record = reading(data_directory(data), ask)
    if record is None:
        raise Failure(f"there is no transaction {transaction}")
    members = wire(record)
    if json:
        print_json(members)
        return
    print_table(["", ""], [(name, _text(value)) for name, value in members.items() if value is not None])


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {member}" for name, member in value.items() if member is not None)
    return str(value)
