"""Log lines are JSON with a trace, and hold neither secrets nor payloads."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pydantic import BaseModel

from gateway.telemetry import configure_logs, trace_of_log_lines
from gateway.telemetry.redaction import MAX_TEXT, REDACTED, redact

TOKEN = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJtZSJ9.c2lnbmF0dXJl"


@pytest.fixture
def lines() -> Iterator[Any]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs(stream=stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_one_json_object_a_line_with_its_trace(lines: Any) -> None:
    remembered = trace_of_log_lines.set("abc")
    structlog.get_logger("gateway.test").info("something", count=3)
    trace_of_log_lines.reset(remembered)
    logging.getLogger("a.library").warning("said %s", "hello")
    first, second = lines()
    assert (first["event"], first["count"], first["trace_id"], first["level"]) == ("something", 3, "abc", "info")
    assert first["logger"] == "gateway.test"
    assert second["event"] == "said hello"
    assert "trace_id" not in second


def test_an_exception_is_told_without_its_text(lines: Any) -> None:
    class Model(BaseModel):
        amount: int

    try:
        Model.model_validate({"amount": "SECRET-INPUT"})
    except ValueError as error:
        structlog.get_logger("gateway.test").error("failed", exc_info=error)
        logging.getLogger("a.library").exception("also")
    ours, theirs = lines()
    assert "SECRET-INPUT" not in json.dumps([ours, theirs])
    assert ours["exception"][0].endswith("ValidationError")
    assert any("test_logs.py" in frame for frame in ours["frames"])
    assert theirs["frames"]


@pytest.mark.parametrize(
    "key",
    ["authorization", "Authorization", "access_token", "password", "clientSecret", "cookie", "body", "request_body",
     "payload", "document", "idempotencyKey", "idempotency_key", "headers", "api_key", "external_id"],
)  # fmt: skip
def test_telling_names_are_dropped(key: str) -> None:
    assert redact(None, "", {key: "value"}) == {key: REDACTED}
    assert redact(None, "", {"context": {key: "value"}}) == {"context": {key: REDACTED}}


@pytest.mark.parametrize(
    "text",
    [f"sent Authorization: Bearer {TOKEN}", f"it was {TOKEN}.", "basic dXNlcjpwYXNzd29yZA==", "nats://user:pass@host"],
)
def test_telling_texts_are_blotted_out(text: str) -> None:
    shown = str(redact(None, "", {"event": text})["event"])
    assert REDACTED in shown
    for secret in (TOKEN, "dXNlcjpwYXNzd29yZA==", "user:pass"):
        assert secret not in shown


def test_payloads_in_disguise() -> None:
    class Document:
        def __repr__(self) -> str:
            return "SECRET"

    event = redact(
        None, "", {"raw": b"SECRET", "model": Document(), "list": [Document()], "long": "x" * (MAX_TEXT + 5)}
    )
    assert event["raw"] == "[6 bytes]"
    assert event["model"] == "[Document]"
    assert event["list"] == ["[Document]"]
    assert str(event["long"]).endswith("[5 more]")


def test_ordinary_values_stay() -> None:
    event = {"event": "erp_call", "system_id": "legacy-main", "seconds": 0.5, "ok": True, "none": None}
    assert redact(None, "", dict(event)) == event
