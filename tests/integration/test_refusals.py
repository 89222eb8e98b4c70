"""What a refusal says on a terminal: each thing once, whether it comes from the record or over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import httpx
import pytest

from gateway.api.problems import malformed
from gateway.cli.console import Failure
from gateway.cli.gateway_http import GatewayHttp
from gateway.cli.refusals import refusal, refused_words
from gateway.errors import FieldError, Problem
from tests.command_line import erp_gateway

ONE = FieldError("lines[0].quantity", "is no number", "Send digits.")
OTHER = FieldError("source", "is missing")


def test_a_problem_about_one_thing_is_one_line() -> None:
    assert refused_words(malformed("pageSize", "is more than 200", "Ask for less.")) == (
        "pageSize: is more than 200. Ask for less."
    )
    assert refused_words(malformed("", "the query cannot be read", "Send pairs.")) == (
        "the query cannot be read. Send pairs."
    )
    assert refused_words(Problem("unknown-node", "source: is missing", errors=(OTHER,))) == "source: is missing"


def test_what_is_wrong_beside_it_has_lines_of_its_own() -> None:
    assert refusal("The document has errors.", "Mend them.", (ONE, OTHER)) == (
        "The document has errors. Mend them.\n  lines[0].quantity: is no number. Send digits.\n  source: is missing"
    )
    assert refusal("The document has errors.", "", (ONE,)).count("is no number") == 1


def test_a_gateway_that_refuses_is_quoted_once() -> None:
    problem = {
        "code": "invalid-request",
        "detail": "knownAt: is later than now",
        "remedy": "Mend what `errors` names and send the request again.",
        "errors": [{"field": "knownAt", "message": "is later than now", "remedy": "Leave it out."}],
    }
    answers = httpx.MockTransport(lambda _: httpx.Response(400, json=problem))
    with pytest.raises(Failure) as failed:
        GatewayHttp("http://gateway.example", "token", answers).get("/v1/ledger/entries")
    assert str(failed.value) == "invalid-request: knownAt: is later than now. Leave it out."


RESET: Final = "[Errno 104] Connection reset by peer"
ENDED: Final = "ended while the file was being sent: what was accepted stays, and the same command goes on where it was"


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (httpx.ReadError(RESET), f"the connection to http://gateway.example {ENDED} ({RESET})"),
        (
            httpx.ConnectError("refused"),
            "no gateway answers at http://gateway.example: refused; start it, or name another --url",
        ),
    ],
)
def test_a_file_that_was_cut_on_the_way_says_that_the_command_goes_on(raised: httpx.HTTPError, said: str) -> None:
    def cut(_: httpx.Request) -> httpx.Response:
        raise raised

    with pytest.raises(Failure) as failed:
        GatewayHttp("http://gateway.example", "token", httpx.MockTransport(cut)).send("/v1/batches", iter([b"{}"]), "k")
    assert str(failed.value) == said


@pytest.mark.parametrize("below", ["", "data"])
def test_a_demo_in_a_file_is_one_line(tmp_path: Path, below: str) -> None:
    file = tmp_path / "file"
    file.write_text("mine", encoding="utf-8")
    told = erp_gateway("demo", "--exit-when-done", "--data", file / below)
    assert (told.returncode, told.stdout, told.stderr.count("\n")) == (2, "", 1)
    assert told.stderr.startswith(f"erp-gateway: {file / below} cannot be written: there is a file where")
