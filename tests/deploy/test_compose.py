"""deploy/compose.yaml against the specification's schema, and against rules of our own."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.settings import Settings
from gateway.wiring.runtime import DRAIN_S

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONE_SHOT = {"migrate", "grants", "nats-volume"}
UNCHECKED = {
    "collector": "its image holds nothing but the collector, so nothing could ask",
    **dict.fromkeys(ONE_SHOT, "it ends by itself"),
}
ALWAYS = {"gateway", "postgres", "nats", *ONE_SHOT}
CAPABILITIES = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}

services = pytest.mark.parametrize("name", SERVICES)


def test_the_specification_knows_every_member():
    """The schema of https://compose-spec.io, which the linter brings along."""
    linter = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [linter, "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _mounts(service: dict[str, Any]) -> list[list[str]]:
    return [volume.split(":") for volume in service.get("volumes", [])]


@services
def test_it_cannot_write_its_root_file_system_nor_gain_rights(name: str):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert set(service.get("cap_add", [])) <= CAPABILITIES
    assert "no-new-privileges:true" in service["security_opt"]
    assert not {"privileged", "pid", "ipc", "devices"} & service.keys()
    assert service.get("network_mode", "none") == "none"


@services
def test_it_cannot_starve_the_others(name: str):
    assert re.fullmatch(r"\d+[mg]", SERVICES[name]["mem_limit"])
    assert SERVICES[name]["pids_limit"] <= 1_000


@services
def test_its_image_has_a_version_and_no_registry(name: str):
    image, _, version = SERVICES[name]["image"].partition(":")
    assert re.fullmatch(r"v?\d+\.\d+[\w.-]*", version), "a whole version, so that nothing changes by itself"
    assert "." not in image.split("/")[0]


@services
def test_it_is_watched(name: str):
    if name in UNCHECKED:
        assert "healthcheck" not in SERVICES[name]
    else:
        assert SERVICES[name]["healthcheck"]["test"][0] == "CMD"


@services
def test_data_are_in_named_volumes_and_files_of_the_tree_are_read_only(name: str):
    for source, target, *options in _mounts(SERVICES[name]):
        if source.startswith("."):
            assert options == ["ro"], target
            assert (DEPLOY / source).exists() or source == "./rulebook", f"{source} is missing"
        else:
            assert source in COMPOSE["volumes"]
        assert "docker.sock" not in source


@services
def test_ports_are_published_on_loopback_only(name: str):
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@services
def test_secrets_are_files_outside_of_the_tree(name: str):
    service = SERVICES[name]
    used = {one if isinstance(one, str) else one["source"] for one in service.get("secrets", [])}
    assert used <= COMPOSE["secrets"].keys()
    for variable, value in service.get("environment", {}).items():
        if re.search("PASSWORD|SECRET|TOKEN", variable):
            assert variable.endswith("_FILE"), variable
            assert str(value).startswith("/run/secrets/")


def test_every_secret_is_used_and_none_is_in_the_tree():
    used = {
        one if isinstance(one, str) else one["source"]
        for service in SERVICES.values()
        for one in service.get("secrets", [])
    }
    assert used == COMPOSE["secrets"].keys()
    for secret in COMPOSE["secrets"].values():
        assert secret["file"].startswith("./secrets/")
    assert "secrets/" in (DEPLOY / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_what_runs_once_is_not_started_again_and_others_wait_for_its_success():
    waited_for = {
        other
        for service in SERVICES.values()
        if isinstance(service.get("depends_on"), dict)
        for other, how in service["depends_on"].items()
        if how["condition"] == "service_completed_successfully"
    }
    assert waited_for == ONE_SHOT
    for name, service in SERVICES.items():
        assert (service["restart"] == "no") is (name in ONE_SHOT), name


def test_the_gateway_starts_on_a_schema_and_with_rights_that_the_owner_made():
    assert SERVICES["gateway"]["depends_on"]["grants"]["condition"] == "service_completed_successfully"
    assert "migrate" in SERVICES["grants"]["depends_on"]
    assert SERVICES["migrate"]["image"] == SERVICES["gateway"]["image"], "the schema of this very version"
    for name, service in SERVICES.items():
        secrets = {one if isinstance(one, str) else one["source"] for one in service.get("secrets", [])}
        assert ("owner_url" in secrets) is (name in {"migrate", "grants"}), "nobody else acts as the owner"


def test_every_variable_of_ours_is_a_setting():
    for name in ("gateway", "migrate"):
        for variable in SERVICES[name]["environment"]:
            part, *member = variable.removeprefix("ERP_GATEWAY_").lower().split("__")
            field = Settings.model_fields[part]
            assert not member or member[0] in field.annotation.model_fields  # type: ignore[union-attr]


def test_the_first_start_writes_every_secret():
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    section = text.partition("\n## First start\n")[2].partition("\n## ")[0]
    for secret in COMPOSE["secrets"]:
        assert f"> {secret}\n" in section or f"`{secret}`" in section, secret


def test_what_a_gateway_does_not_need_is_a_profile():
    assert {name for name, service in SERVICES.items() if "profiles" not in service} == ALWAYS


def test_the_database_cannot_be_reached_from_outside():
    assert COMPOSE["networks"]["inside"]["internal"] is True
    for name in ("postgres", "nats"):
        assert SERVICES[name]["networks"] == ["inside"]
        assert "ports" not in SERVICES[name]


def test_the_gateway_gets_time_to_let_its_calls_end():
    assert int(SERVICES["gateway"]["stop_grace_period"].removesuffix("s")) > DRAIN_S
