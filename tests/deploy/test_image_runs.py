"""What the Dockerfile says is done, as far as it goes without a container engine.

The build stage's own commands run in a directory that stands for the root of the image. Then the entry point of the
last stage runs as a user who may write its volume and nothing else, in a working directory that it cannot write, and
the health check of the last stage asks it. What only an engine can do is left to it: base image, users, mounts.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import routing_rules
from tests.deploy.dockerfile import BUILD, FINAL, ROOT
from tests.deploy.promql import Reader
from tests.deploy.watching import ALERTS, SERIES
from tests.ports import reserved_port

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

LIMIT_S = 90.0
"""Until the gateway answers, on a busy machine; also the longest that it may take to end."""
ABSOLUTE = re.compile(r"(?<![\w./])/(?=(?:opt|src|data)\b)")
"""Paths of the image's own; all others are the machine's."""
OF_OTHER_CONTAINERS = re.compile(r"(?m)^(url_file|credentials_file|url) = .*$")
"""Settings of the example by which it finds its database and its NATS; without them both are embedded."""


class Image:
    """A directory that stands for the root of the image."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.data = root / "data"

    def path(self, text: str) -> str:
        """`text` with the image's absolute paths below this root."""
        return ABSOLUTE.sub(f"{self.root}/", text)

    def environment(self, words: dict[str, str], **more: str) -> dict[str, str]:
        """What a process of the image sees: its ENV, and of the machine only what reaches the package index."""
        kept = {name: os.environ[name] for name in os.environ if re.match(r"(PIP|UV|SSL|REQUESTS)_", name)}
        path = f"{self.root}/usr/bin:/usr/local/bin:/usr/bin:/bin"
        own = {name: self.path(value).replace("$PATH", path) for name, value in words.items()}
        return {**kept, "PATH": path, **own, **more}


def _others_reach(path: Path) -> bool:
    return all(above.stat().st_mode & 0o1 for above in (path.resolve(), *path.resolve().parents))


def _interpreter() -> Path:
    """A Python like the one of the tests that the image's user can execute as well."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    own = Path(sysconfig.get_config_var("BINDIR") or "/nowhere") / version
    for candidate in (own, *(Path(one) / version for one in ("/usr/local/bin", "/usr/bin"))):
        if candidate.exists() and (os.geteuid() != 0 or _others_reach(candidate)):
            return candidate
    pytest.fail(f"no {version} that another user than root can execute; run the tests as an ordinary user")


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    """The stages, done. Not in pytest's own directory, which other users cannot enter."""
    root = Path(tempfile.mkdtemp(prefix="image-"))
    try:
        root.chmod(0o755)
        built = Image(root)
        _machine(built)
        _build(built)
        yield built
    finally:
        shutil.rmtree(root)


def _machine(image: Image) -> None:
    """What the base image brings: Python by its usual name. The installer of the machine, and with it its cache of
    packages, is put where the build would fetch one."""
    (image.root / "usr" / "bin").mkdir(parents=True)
    (image.root / "usr" / "bin" / "python3").symlink_to(_interpreter())
    (image.root / "opt" / "tools" / "bin").mkdir(parents=True)
    (image.root / "opt" / "tools" / "bin" / "uv").symlink_to(Path(sys.executable).with_name("uv"))


def _build(image: Image) -> None:
    """Every instruction of the build stage, in order."""
    where = image.root
    environment: dict[str, str] = {}
    for instruction, argument in BUILD.steps:
        if instruction == "WORKDIR":
            where = Path(image.path(argument))
            where.mkdir()
        elif instruction == "ENV":
            # without the switches that keep caches out of an image: here they are the way to work without a network
            environment |= {name: value for name, value in BUILD.environment().items() if "CACHE" not in name}
        elif instruction == "ARG":
            assert argument in {"PIP_INDEX_URL", "UV_DEFAULT_INDEX"}, "these are the machine's, if it has them"
        elif instruction == "COPY":
            *sources, target = argument.split()
            for source in sources:
                _copy(ROOT / source, where / target, into=len(sources) > 1 or target.endswith("/"))
        elif instruction == "RUN":
            done = subprocess.run(
                ["/bin/sh", "-c", image.path(argument)],
                cwd=where,
                env=image.environment(environment, HOME=os.environ.get("HOME", "/")),
                capture_output=True,
                text=True,
                check=False,
                timeout=500,
            )
            assert done.returncode == 0, done.stdout + done.stderr
        else:
            pytest.fail(f"this test cannot do {instruction} {argument}")
    shutil.rmtree(where)
    shutil.rmtree(image.root / "opt" / "tools")


def _copy(source: Path, target: Path, *, into: bool) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        return
    place = target / source.name if into else target
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, place)


def _as_the_user() -> dict[str, object]:
    """Arguments of Popen: the image's user where the tests may become it, else whoever runs them."""
    if os.geteuid() != 0:
        return {}
    user, group = FINAL.arguments("USER")[-1].split(":")
    return {"user": int(user), "group": int(group), "extra_groups": []}


def _volume(image: Image) -> None:
    """The volume as an operator fills it, owned by the image's user."""
    image.data.mkdir(mode=0o700)
    example = (ROOT / "deploy" / "gateway.toml").read_text(encoding="utf-8").replace("/run/secrets/", "")
    (image.data / "gateway.toml").write_text(OF_OTHER_CONTAINERS.sub("", example), encoding="utf-8")
    for secret in ("legacy_password", "cloud_secret"):
        (image.data / secret).write_text("s", encoding="utf-8")
    shutil.copytree(Path(routing_rules.__file__).parent / "tables", image.data / "rulebook")
    (image.root / "tmp").mkdir()
    (image.root / "tmp").chmod(0o1777)
    if os.geteuid() == 0:
        user, group = map(int, FINAL.arguments("USER")[-1].split(":"))
        for path in (image.data, *image.data.rglob("*")):
            os.chown(path, user, group)


def _written(image: Image) -> dict[Path, int]:
    """Every file of the image outside of its volume, with the time of its last change."""
    return {path: path.lstat().st_mtime_ns for path in (image.root / "opt").rglob("*")}


def _exposed(port: int) -> set[str]:
    """The metrics that a running gateway declares to Prometheus."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        text = answer.read().decode()
    finally:
        connection.close()
    assert answer.status == 200, text
    return set(re.findall(r"(?m)^# TYPE (\S+)", text))


def _asked_by_alerts() -> set[str]:
    reader = Reader(SERIES)
    for rule in ALERTS:
        reader.labels(rule["expr"])
    return reader.asked - {"up"}


def test_the_environment_is_complete_and_holds_no_tools(image: Image):
    binaries = {path.name for path in (image.root / "opt" / "gateway" / "bin").iterdir()}
    assert {"erp-gateway", "python", "nats-server"} <= binaries
    assert not binaries & {"pip", "pip3", "uv", "hatchling", "pytest", "mypy", "ruff", "mock-sap"}
    packages = image.root / "opt" / "gateway" / "lib"
    assert list(packages.rglob("gateway/cli/__init__.py")), "a copy of its own, not a link to the sources"
    assert list(packages.rglob("routing_rules/tables/rulebook.yaml"))
    assert list(packages.rglob("gateway/cli/__pycache__/*.pyc")), "compiled: its user cannot write bytecode"


def test_it_serves_as_its_user_and_its_health_check_says_so(image: Image):
    _volume(image)
    before = _written(image)
    environment = image.environment(
        FINAL.environment(),
        ERP_GATEWAY_HTTP__PORT=str(reserved_port()),
        ERP_GATEWAY_HTTP__HOST="127.0.0.1",
        TMPDIR=str(image.root / "tmp"),
    )
    command = [image.path(word) for word in (*FINAL.words("ENTRYPOINT"), *FINAL.words("CMD"))]

    def healthy() -> bool:
        asked = subprocess.run(
            FINAL.health_check(),
            env=environment,
            cwd="/",
            capture_output=True,
            check=False,
            timeout=30,
            **_as_the_user(),
        )  # type: ignore[call-overload]
        return bool(asked.returncode == 0)

    assert not healthy(), "nothing runs yet"
    log = image.root / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, env=environment, cwd="/", stdout=out, stderr=out, **_as_the_user())  # type: ignore[call-overload]
    try:
        deadline = time.monotonic() + LIMIT_S
        while not healthy():
            assert process.poll() is None, log.read_text(encoding="utf-8")
            assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
            time.sleep(0.2)
        asked = {name.removesuffix("_bucket") for name in _asked_by_alerts()}
        assert asked <= _exposed(int(environment["ERP_GATEWAY_HTTP__PORT"])), "alerts ask for what is not there"
        process.send_signal(signal.Signals[FINAL.arguments("STOPSIGNAL")[0]])
        assert process.wait(LIMIT_S) == 0, log.read_text(encoding="utf-8")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert not healthy()
    assert (image.data / "gateway.db").exists()
    assert (image.data / "commitments.key").stat().st_mode & 0o077 == 0
    assert _written(image) == before, "it wrote outside of its volume"
    assert list((image.root / "tmp").iterdir()) == []
