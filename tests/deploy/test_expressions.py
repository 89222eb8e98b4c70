"""Every expression of the alerts and the dashboard is PromQL, and asks for series and labels that the gateway has."""

from __future__ import annotations

import re

import promql_parser
import pytest

from gateway.domain.exceptions import IN_DOUBT, STUCK, UNDO_REFUSED
from tests.deploy.promql import Reader, Wrong
from tests.deploy.watching import ALERTS, PANELS, ROOT, SERIES

ALERT_EXPRESSIONS = {rule["alert"]: str(rule["expr"]) for rule in ALERTS}
PANEL_EXPRESSIONS = {
    f"{panel['title']} {target['refId']}": str(target["expr"]).replace("$__rate_interval", "1m")
    for panel in PANELS
    for target in panel["targets"]
}
REASONS = {IN_DOUBT, STUCK, UNDO_REFUSED}
COMPARISONS = re.compile(r"(?<![=!~<>])(==|!=|>=|<=|>|<)(?!~)")


@pytest.mark.parametrize("place", ALERT_EXPRESSIONS)
def test_an_alert_is_a_condition_on_series_that_exist(place: str):
    expression = ALERT_EXPRESSIONS[place]
    reader = Reader(SERIES)
    reader.labels(expression)
    assert reader.asked
    assert isinstance(promql_parser.parse(expression), promql_parser.BinaryExpr)
    assert COMPARISONS.search(re.sub(r"\{[^}]*\}", "", expression)), "it would always fire"


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_the_text_of_an_alert_names_labels_that_its_result_has(rule: dict[str, dict[str, str]]):
    labels = Reader(SERIES).labels(str(rule["expr"]))
    for text in rule["annotations"].values():
        assert set(re.findall(r"\$labels\.(\w+)", text)) <= labels
        assert text.count("{{") == text.count("}}")


@pytest.mark.parametrize("place", PANEL_EXPRESSIONS)
def test_a_panel_shows_series_that_exist(place: str):
    reader = Reader(SERIES)
    reader.labels(PANEL_EXPRESSIONS[place])
    assert reader.asked


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel["title"])
def test_the_legend_of_a_panel_tells_its_lines_apart(panel: dict[str, list[dict[str, str]]]):
    for target in panel["targets"]:
        labels = Reader(SERIES).labels(target["expr"].replace("$__rate_interval", "1m"))
        shown = set(re.findall(r"\{\{\s*(\w+)\s*\}\}", target["legendFormat"]))
        assert shown <= labels
        assert shown >= labels - {"job"}, "two lines would have the same name"


def test_every_metric_is_on_the_dashboard():
    shown = Reader(SERIES)
    for expression in PANEL_EXPRESSIONS.values():
        shown.labels(expression)

    def family(name: str) -> str:
        return re.sub(r"_(bucket|sum|count|created|total)$", "", name)

    assert {family(name) for name in shown.asked} == {family(name) for name in SERIES}


def test_outcomes_in_expressions_are_words_that_the_line_says():
    source = "".join(
        (ROOT / "gateway" / "transactions" / file).read_text(encoding="utf-8") for file in ("execute.py", "resolve.py")
    )
    expressions = [*ALERT_EXPRESSIONS.values(), *PANEL_EXPRESSIONS.values()]
    said = {
        word
        for expression in expressions
        for words in re.findall(r'outcome=~?"([^"]+)"', expression)
        for word in words.split("|")
    }
    assert said >= {"unknown", "garbled", "misconfigured", "not_sent", "failed", "found_2"}
    assert all(f'"{word}"' in source or word in {"found_0", "found_1", "found_2"} for word in said)
    assert 'f"found_{min(len(found), 2)}"' in source


def test_words_in_expressions_are_words_that_the_gateway_says():
    known = {
        "reason": REASONS,
        "result": {"accepted", "known", "refused", "put_off", "waiting"},
    }
    for label, words in known.items():
        asked = re.findall(
            rf'{label}=~?"([^"]+)"', " ".join([*ALERT_EXPRESSIONS.values(), *PANEL_EXPRESSIONS.values()])
        )
        assert asked
        assert {word for one in asked for word in one.split("|")} <= words


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("erp_gateway_queue_job > 1", "no series"),
        ('erp_gateway_erp_calls_total{system="x"} > 1', "no label system"),
        ("sum by (domain) (rate(erp_gateway_erp_calls_total[5m])) > 1", "no label domain"),
        ("rate(erp_gateway_queue_jobs[5m]) > 1", "gauge"),
        ("histogram_quantile(0.9, sum by (route) (rate(erp_gateway_http_request_seconds_bucket[5m]))) > 1", "le"),
        ("sum without (route) (rate(erp_gateway_http_requests_total[5m])) > 1", "by"),
        ("rate(erp_gateway_erp_calls_total) > 1", "expected type matrix"),
        ("sum(rate(erp_gateway_erp_calls_total[5m]) > 1", "parenthesis"),
    ],
)
def test_the_test_sees_what_is_wrong(text: str, complaint: str):
    with pytest.raises((Wrong, ValueError), match=complaint):
        Reader(SERIES).labels(text)
