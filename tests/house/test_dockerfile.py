"""The image is what operations expect, as far as that can be read without an engine."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
LINES = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()


def _of(instruction: str) -> list[str]:
    return [line.split(maxsplit=1)[1] for line in LINES if line.startswith(f"{instruction} ")]


def test_it_is_built_in_two_stages_from_a_named_version():
    assert len(_of("FROM")) == 2
    assert all(":" in image and "latest" not in image for image in _of("FROM"))


def test_it_runs_as_nobody_special_and_says_whether_it_lives():
    runtime = LINES[[index for index, line in enumerate(LINES) if line.startswith("FROM")][-1] :]
    assert any(line.startswith("USER gateway") for line in runtime)
    assert any("/health/live" in line for line in runtime if line.startswith("HEALTHCHECK"))
    assert any(line.startswith("VOLUME /data") for line in runtime)
    assert not any("uv" in line.split() for line in runtime)


def test_every_copied_path_exists_and_nothing_is_fetched():
    copied = [path for line in _of("COPY") if "--from" not in line for path in line.split()[:-1]]
    assert copied
    assert all((ROOT / path).exists() for path in copied)
    assert _of("ADD") == []
    assert all("--require-hashes" in line for line in _of("RUN") if "locked.txt" in line and "--requirement" in line)
