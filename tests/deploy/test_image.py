"""The Dockerfile against a linter, and against rules of our own; `test_image_runs.py` runs it."""

from __future__ import annotations

import fnmatch
import re
import subprocess
import sys
from pathlib import Path

from tests.deploy.dockerfile import BUILD, FINAL, ROOT, STAGES

SECRET = re.compile(r"(password|secret|token|api_?key)\s*=", re.IGNORECASE)
EVERY_STEP = [step for stage in STAGES for step in stage.steps]


def test_a_linter_has_no_complaint():
    linter = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [linter, "--failure-threshold", "style", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_built_in_two_stages_from_one_image_that_cannot_change():
    assert len(STAGES) == 2
    (image,) = {stage.base for stage in STAGES}
    assert re.fullmatch(r"python:3\.11\.\d+-slim-[a-z]+@sha256:[0-9a-f]{64}", image), "a version, a digest, no registry"


def test_the_lock_is_installed_as_everywhere_else():
    """One way from the lock to an environment, so that what is tested is what is shipped."""
    (command,) = BUILD.arguments("RUN")
    assert command.endswith("sh tools/install.sh")
    assert "FOR=running" in command.split()
    text = (ROOT / "tools" / "install.sh").read_text(encoding="utf-8")
    assert "--require-hashes" in text
    running = text[text.index("running)") : text.index("*)")]
    assert "--no-default-groups" in running
    assert "--all-groups" not in running
    assert "--editable" not in running


def test_the_last_stage_brings_no_compiler_no_installer_and_nothing_fetched():
    assert [argument.split() for argument in FINAL.arguments("COPY")] == [
        ["--from=build", "/opt/gateway", "/opt/gateway"]
    ]
    fetching = re.compile(r"\b(curl|wget|apt|apt-get|apk|pip|uv|git|make|gcc|cc)\b|https?://")
    assert not any(fetching.search(argument) for argument in FINAL.arguments("RUN"))
    assert not any(instruction == "ADD" for instruction, _ in EVERY_STEP)


def test_the_last_user_is_not_root():
    user, group = FINAL.arguments("USER")[-1].split(":")
    assert int(user) >= 10_000, "a number, so that an orchestrator can see that it is not root"
    created = " ".join(FINAL.arguments("RUN"))
    assert f"useradd --system --uid {user}" in created
    assert f"groupadd --system --gid {group}" in created
    assert FINAL.steps[-1][0] != "USER"
    assert [step for step, _ in FINAL.steps].index("USER") > [step for step, _ in FINAL.steps].index("COPY")


def test_it_asks_liveness_itself_and_serves_the_volume():
    health = FINAL.arguments("HEALTHCHECK")[0]
    assert "/health/live" in health
    assert "--timeout" in health
    command = FINAL.health_check()
    assert command[0] == "python"
    compile(command[2], "health check", "exec")
    assert FINAL.words("ENTRYPOINT") == ["erp-gateway"]
    assert FINAL.words("CMD") == ["serve", "--data", "/data"]
    assert FINAL.arguments("VOLUME") == ["/data"]
    assert FINAL.arguments("STOPSIGNAL") == ["SIGTERM"]


def test_no_secret_is_built_in():
    assert not any(SECRET.search(argument) for kind, argument in EVERY_STEP if kind in {"ENV", "ARG", "RUN", "LABEL"})


def test_the_context_is_a_list_of_what_may_go_in():
    rules = [
        line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] not in {"", "#"}
    ]
    assert rules[0] == "*"
    allowed = [rule[1:] for rule in rules if rule.startswith("!")]
    copied = [path.removeprefix("./") for argument in BUILD.arguments("COPY") for path in argument.split()[:-1]]
    assert sorted(allowed) == sorted(copied)
    assert all((ROOT / path).exists() for path in copied)
    assert "**/__pycache__" in rules
    assert not any(fnmatch.fnmatch("deploy/secrets/x", rule) for rule in allowed)
