"""AsyncAPI, JSON Schemas and CloudEvents as tools that are not ours read them."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat

from gateway.domain.records import OutboxRecord
from gateway.domain.transaction import Status
from tools.node.installation import NodeTools

HERE = Path(__file__).parent
EVENTS = HERE.parents[1] / "docs" / "events"
ASYNCAPI = EVENTS / "asyncapi.json"
CHECK = Path(sys.executable).with_name("check-jsonschema")
_ERROR, _WARNING = 0, 1


def _asyncapi(installed: NodeTools, *files: Path) -> list[dict[str, Any]]:
    done = installed.run(HERE / "parse_asyncapi.cjs", *files)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_the_asyncapi_parser_reads_it_without_a_word_of_blame(installed: NodeTools) -> None:
    found = _asyncapi(installed, ASYNCAPI)[0]
    assert [one for one in found["diagnostics"] if one["severity"] <= _WARNING] == []
    assert found["channels"] == [
        "erp.status.{domain}.{businessUnit}.{geography}.{kind}",
        "erp.control.{kind}",
        "erp.intake.{domain}",
        "erp.intake.refused",
    ]
    assert len(set(found["messages"])) >= len(Status)


def test_the_asyncapi_parser_does_blame(installed: NodeTools, tmp_path: Path) -> None:
    document = json.loads(ASYNCAPI.read_text(encoding="utf-8"))
    files = []
    for number in range(3):
        faulty = copy.deepcopy(document)
        if number == 0:
            faulty["channels"]["status"]["messages"]["more"] = {"$ref": "#/components/messages/elsewhere"}
        elif number == 1:
            faulty["operations"]["sendStatus"]["action"] = "publish"
        else:
            del faulty["channels"]["status"]["parameters"]["kind"]
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps(faulty), encoding="utf-8")
        files.append(path)
    for found in _asyncapi(installed, *files):
        assert [one for one in found["diagnostics"] if one["severity"] == _ERROR] != []


def _checked(*arguments: str | Path) -> tuple[int, str]:
    done = subprocess.run([CHECK, *arguments], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_schemas_are_schemas(tmp_path: Path) -> None:
    code, said = _checked("--check-metaschema", *sorted(EVENTS.glob("*.v1.json")))
    assert code == 0, said
    faulty = json.loads((EVENTS / "status.v1.json").read_text(encoding="utf-8"))
    faulty["$defs"]["Envelope"]["required"] = "id"
    (tmp_path / "faulty.json").write_text(json.dumps(faulty), encoding="utf-8")
    assert _checked("--check-metaschema", tmp_path / "faulty.json")[0] == 1


def _family(record: OutboxRecord) -> str:
    return "control" if record.subject.startswith("erp.control.") else "status"


@pytest.mark.parametrize("family", ["status", "control"])
def test_real_events_hold_their_schema(family: str, announced: Sequence[OutboxRecord], tmp_path: Path) -> None:
    """`check-jsonschema` reads the patterns as ECMA 262 has them, as most consumers do."""
    files = []
    for number, record in enumerate(one for one in announced if _family(one) == family):
        path = tmp_path / f"{number}.json"
        path.write_bytes(record.body)
        files.append(path)
    assert len(files) >= 4
    schema = EVENTS / f"{family}.v1.json"
    code, said = _checked("--schemafile", schema, *files)
    assert code == 0, said
    event = json.loads(files[0].read_bytes())
    event["sequence"] = int(event["sequence"])
    (tmp_path / "faulty.json").write_text(json.dumps(event), encoding="utf-8")
    assert _checked("--schemafile", schema, tmp_path / "faulty.json")[0] == 1


def test_the_python_sdk_reads_real_events(announced: Sequence[OutboxRecord]) -> None:
    for record in announced:
        event = JSONFormat().read(None, record.body)
        assert event.get_id() == record.event_id
        assert event.get_type().startswith("erp.")
        assert event.get_extension("lineageid") == record.lineage_id
        assert int(event.get_extension("sequence")) == record.sequence
        assert isinstance(event.get_data(), dict)
        assert event.get_time() is not None


def test_the_node_sdk_reads_real_events(
    announced: Sequence[OutboxRecord], installed: NodeTools, tmp_path: Path
) -> None:
    for record, read in zip(announced, _in_node(installed, tmp_path, announced), strict=True):
        assert read["event"]["id"] == record.event_id
        assert read["event"]["lineageid"] == record.lineage_id
        assert int(read["event"]["sequence"]) == record.sequence
        assert read["event"]["data"] == json.loads(record.body)["data"]


@pytest.mark.parametrize("name", ["lineageId", "lineage_id", "trace-parent"])
def test_both_sdks_refuse_names_of_other_letters(
    name: str, announced: Sequence[OutboxRecord], installed: NodeTools, tmp_path: Path
) -> None:
    """Why the extensions are `lineageid`, `sequence` and `traceparent`: others would make every event unreadable."""
    event = json.loads(announced[0].body) | {name: "x"}
    with pytest.raises(CloudEventValidationError, match=name):
        JSONFormat().read(None, json.dumps(event))
    faulty = OutboxRecord("evt_1", "lin_1", 1, "", json.dumps(event).encode(), "", 0)
    assert name in _in_node(installed, tmp_path, [faulty])[0]["complaint"]


def _in_node(installed: NodeTools, folder: Path, records: Sequence[OutboxRecord]) -> list[dict[str, Any]]:
    path = folder / "events.json"
    path.write_text(json.dumps([record.body.decode("ascii") for record in records]), encoding="utf-8")
    done = installed.run(HERE / "read_cloudevents.cjs", path)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found
