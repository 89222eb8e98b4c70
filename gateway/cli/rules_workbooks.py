"""`erp-gateway rules export|import`: rule tables as a workbook, and back."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli import rules_files
from gateway.cli.console import Failure, JsonOption, print_json, print_line
from routing_rules import Rulebook, RulebookInvalid, parse_rulebook
from routing_rules.complaints import ComplaintBook
from routing_rules.csv_records import write_records
from routing_rules.rulebook_files import MAX_TABLE_BYTES, Files, read_files, table_sources, table_texts
from routing_rules.table_reader import COLUMNS

Directory = Annotated[Path, typer.Argument(help="The directory with rulebook.yaml and the tables.")]


def export_workbook(
    directory: Directory,
    xlsx: Annotated[Path, typer.Option(help="The workbook to write; it must not lie in the directory.")],
    json: JsonOption = False,
) -> None:
    """Write the tables as a workbook: one sheet per domain, all text, with drop-downs."""
    _keep_apart(xlsx, directory)
    rulebook = rules_files.load(directory, json=json)
    # The library takes long to import, and no other command needs it.
    from routing_rules.xlsx_writer import write_workbook  # noqa: PLC0415

    content = write_workbook(table_texts(read_files(directory, ComplaintBook())), rulebook)
    if len(content) > MAX_TABLE_BYTES:
        raise Failure(f"the workbook would be larger than {MAX_TABLE_BYTES} bytes, which no import reads")
    _replace(xlsx, content)
    _print(rulebook, [xlsx], json=json)


def import_workbook(
    file: Annotated[Path, typer.Argument(help="The workbook.")], directory: Directory, json: JsonOption = False
) -> None:
    """Write the sheets of a workbook as the directory's tables; nothing is written if anything is wrong with them."""
    _keep_apart(file, directory)
    try:
        with file.open("rb") as stream:
            workbook: Files = {f"{file.stem}.xlsx": stream.read(MAX_TABLE_BYTES + 1)}
        replaced = {f"{domain}.csv" for domain in table_sources(workbook, ComplaintBook())}
        files = {name: one for name, one in read_files(directory, ComplaintBook()).items() if name not in replaced}
        rulebook = parse_rulebook({**files, **workbook})
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}", rules_files.NOT_READABLE) from error
    except RulebookInvalid as error:
        if json:
            print_json({"complaints": [asdict(complaint) for complaint in error.complaints]})
        listed = "\n".join(f"  {complaint}" for complaint in error.complaints)
        raise Failure(f"{file} has errors, nothing was written:\n{listed}", rules_files.NOT_READABLE) from error
    tables = table_texts(workbook)
    for domain, rows in tables.items():
        _replace(directory / f"{domain}.csv", write_records([COLUMNS, *rows]).encode())
    _print(rulebook, [directory / f"{domain}.csv" for domain in tables], json=json)


def _keep_apart(workbook: Path, directory: Path) -> None:
    """A workbook beside the CSV files would be read as more tables."""
    if workbook.resolve().parent == directory.resolve():
        raise Failure(f"{workbook} lies in {directory}, whose tables it would double; put it elsewhere", 2)


def _replace(path: Path, content: bytes) -> None:
    """Write the whole file or nothing."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise Failure(f"{path} cannot be written: {error.strerror}") from error


def _print(rulebook: Rulebook, written: list[Path], *, json: bool) -> None:
    if json:
        print_json({"version": rulebook.version, "written": [str(path) for path in written]})
        return
    print_line(f"version {rulebook.version}")
    for path in written:
        print_line(f"  wrote {path}")
