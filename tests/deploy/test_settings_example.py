"""deploy/gateway.toml names every setting, loads, and connects every system of the sample rulebook."""

from __future__ import annotations

import os
import re
import shutil
import tomllib
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel
from typer.testing import CliRunner

import routing_rules
from gateway.cli import app
from gateway.settings import Settings, SystemSettings, load_settings
from gateway.wiring.systems import check_targets, connect_systems
from routing_rules import load_rulebook

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "deploy" / "gateway.toml"
TEXT = EXAMPLE.read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))
MOUNTED = "/run/secrets/"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data directory with the example; its secrets lie in the directory instead of the container."""
    for name in [name for name in os.environ if name.startswith("ERP_GATEWAY_")]:
        monkeypatch.delenv(name)
    (tmp_path / "gateway.toml").write_text(TEXT.replace(MOUNTED, ""), encoding="utf-8")
    shutil.copytree(Path(routing_rules.__file__).parent / "tables", tmp_path / "rulebook")
    for name in re.findall(rf'"{MOUNTED}(\w+)"', TEXT):
        (tmp_path / name).write_text("s", encoding="utf-8")
    return tmp_path


def _names(model: type[BaseModel]) -> set[str]:
    return set(model.model_fields)


def test_it_loads_and_its_systems_can_be_connected(data: Path):
    settings = load_settings(data)
    rulebook = load_rulebook(data / settings.rulebook)
    check_targets(rulebook, connect_systems(rulebook, settings.systems, data))


def test_the_sample_rulebook_is_proven_with_what_its_systems_can_do(data: Path, tmp_path: Path):
    report = CliRunner().invoke(app, ["capabilities", "--data", str(data), "--json"])
    assert report.exit_code == 0, report.output
    (tmp_path / "capabilities.json").write_text(report.stdout, encoding="utf-8")
    checked = CliRunner().invoke(
        app, ["rules", "check", str(data / "rulebook"), "--capabilities", str(tmp_path / "capabilities.json")]
    )
    assert checked.exit_code == 0, checked.output


def test_every_setting_is_in_it_and_explained(data: Path):
    load_settings(data)
    given = tomllib.loads(re.sub(r"(?m)^# (\w+ = \")", r"\1", TEXT))
    assert given.keys() == _names(Settings)
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            assert given[name].keys() == _names(field.annotation), name
    assert given["systems"][0].keys() == {
        "id", "base_url", "call_s", "longest_execution_s", "inquiry_delay_s", "options",
    }  # fmt: skip


def test_what_is_no_choice_of_the_example_is_the_default(data: Path):
    """So that copying it changes nothing that nobody wanted."""
    chosen = {"rulebook", "store", "nats", "systems"}
    settings = load_settings(data)
    for name, field in Settings.model_fields.items():
        if name in chosen:
            continue
        found, default = getattr(settings, name), field.get_default()
        if isinstance(found, BaseModel):
            differing = {key for key, value in found if value != getattr(default, key)}
            assert differing <= {"host", "public_metrics"}, name
        else:
            assert found == default, name


def test_the_container_mounts_every_secret_that_it_names():
    named = set(re.findall(rf'"{MOUNTED}(\w+)"', TEXT))
    assert named == set(COMPOSE["services"]["gateway"]["secrets"])


def test_an_empty_variable_of_compose_is_the_default(data: Path, monkeypatch: pytest.MonkeyPatch):
    (name,) = COMPOSE["services"]["gateway"]["environment"]
    monkeypatch.setenv(name, "")
    assert load_settings(data).telemetry.otlp_endpoint == ""
    monkeypatch.setenv(name, "http://collector:4318/v1/traces")
    settings = load_settings(data)
    assert settings.telemetry.otlp_endpoint == "http://collector:4318/v1/traces"
    assert settings.telemetry.public_metrics is True


def test_the_table_of_the_settings_is_complete():
    table = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    for name, field in Settings.model_fields.items():
        if name == "systems":
            members = [f"systems[].{one}" for one in _names(SystemSettings)]
        elif isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            members = [f"{name}.{one}" for one in _names(field.annotation)]
        else:
            members = [name]
        for member in members:
            assert f"`{member}`" in table, member
            if name != "systems":
                assert f"`ERP_GATEWAY_{member.upper().replace('.', '__')}`" in table, member
