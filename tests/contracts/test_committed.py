"""The committed files are what the code makes."""

from __future__ import annotations

import difflib
import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.api.contract.files import FLAT, OPENAPI, PAGE, contract_files
from gateway.cli import app
from gateway.cli.schemas import served_files
from tests.api.conftest import World

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
RELEASED = DOCS / "openapi" / "released"
COMMAND = "erp-gateway schemas export docs"


@pytest.fixture(scope="module")
def files() -> dict[str, str]:
    return served_files()


def test_the_committed_files_are_what_the_code_makes(files: dict[str, str]) -> None:
    differences: list[str] = []
    for name, text in files.items():
        path = DOCS / name
        committed = path.read_text(encoding="utf-8") if path.exists() else ""
        if committed != text:
            lines = difflib.unified_diff(
                committed.splitlines(), text.splitlines(), f"docs/{name}", f"made/{name}", lineterm="", n=1
            )
            differences += islice(lines, 40)
    shown = "\n".join(differences)
    assert not differences, f"the contract changed; look at it, then run `{COMMAND}` and commit docs/:\n{shown}"


def test_no_committed_file_is_left_over(files: dict[str, str]) -> None:
    committed = {
        str(path.relative_to(DOCS))
        for folder in ("openapi", "events")
        for path in (DOCS / folder).rglob("*")
        if path.is_file() and path.suffix != ".md" and RELEASED not in path.parents
    }
    assert committed == set(files)


def test_the_command_writes_them(files: dict[str, str], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["schemas", "export", str(tmp_path / "new"), "--json"])
    assert done.exit_code == 0, done.output
    listed = json.loads(done.output)["files"]
    assert {str(Path(one).relative_to(tmp_path / "new")) for one in listed} == set(files)
    assert {name: (tmp_path / "new" / name).read_text(encoding="utf-8") for name in files} == files


def test_the_same_code_makes_the_same_bytes_in_another_process(files: dict[str, str], tmp_path: Path) -> None:
    """Another hash seed orders sets otherwise."""
    program = "import sys; from gateway.cli import main; sys.argv[0] = 'erp-gateway'; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "schemas", "export", str(tmp_path)],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "4711"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {name: (tmp_path / name).read_text(encoding="utf-8") for name in files} == files


def test_a_directory_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = CliRunner().invoke(app, ["schemas", "export", str(tmp_path / "file" / "below")])
    assert done.exit_code != 0


async def test_the_exported_document_is_the_served_one(files: dict[str, str]) -> None:
    async with World().client() as client:
        answer = await client.get("/openapi.json")
    assert answer.json() == json.loads(files[OPENAPI])


def test_every_file_is_neutral(files: dict[str, str]) -> None:
    for name, text in files.items():
        assert str(ROOT) not in text, name
        assert "localhost" not in text, name
        assert text.endswith("\n"), name


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: set[str] = set()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if "id" in given:
            self.ids.add(str(given["id"]))
        if tag == "a":
            self.links.add(str(given["href"]))
        if tag in {"script", "link", "img", "iframe"} or "src" in given:
            self.loaded.append(tag)


def test_the_page_shows_everything_and_loads_nothing(files: dict[str, str], document: dict[str, Any]) -> None:
    page = _Page()
    page.feed(files[PAGE])
    assert page.loaded == []
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    operations = {one["operationId"] for item in document["paths"].values() for one in item.values()}
    assert operations <= page.ids
    assert {f"schema-{name}" for name in document["components"]["schemas"]} <= page.ids
    assert "&quot;externalId&quot;" in files[PAGE]


def test_text_of_the_document_cannot_become_markup(document: dict[str, Any]) -> None:
    document["paths"]["/v1/orders"]["post"]["summary"] = "<script>x</script>"
    assert "<script" not in contract_files(document, ("orders",))[PAGE]


def test_the_flat_document_is_smaller_and_whole(files: dict[str, str]) -> None:
    flat, full = json.loads(files[FLAT]), json.loads(files[OPENAPI])
    ids = {one["operationId"] for item in flat["paths"].values() for one in item.values()}
    assert ids == {
        one["operationId"]
        for item in full["paths"].values()
        for one in item.values()
        if {"health", "ledger", "cutover", "rules"}.isdisjoint(one["tags"])
        and all("application/json" in a["content"] for status, a in one["responses"].items() if status[0] != "3")
        and "application/json" in one.get("requestBody", {"content": ["application/json"]})["content"]
    }
    for name, schema in flat["components"]["schemas"].items():
        if name != "OpenMembers":
            left_out = set(full["components"]["schemas"][name].get("properties", {})) - set(
                schema.get("properties", {})
            )
            assert left_out == ({"type"} if name == "ProblemDocument" else set()), name
