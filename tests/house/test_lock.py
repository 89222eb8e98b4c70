"""The lock names versions and hashes, and no registry."""

import re
import tomllib
from pathlib import Path

from tools.neutral_lock import neutral

ROOT = Path(__file__).parents[2]


def test_no_registry_is_named_in_the_lock():
    text = (ROOT / "uv.lock").read_text(encoding="utf-8")
    hosts = set(re.findall(r"https?://([^/\"]+)", text))
    assert hosts == {"registry.invalid"}


def test_every_file_of_the_lock_has_a_hash():
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    packages = [package for package in lock["package"] if "registry" in package["source"]]
    assert len(packages) > 50
    for package in packages:
        files = package.get("wheels", []) + ([package["sdist"]] if "sdist" in package else [])
        assert files, package["name"]
        assert all(file["hash"].startswith("sha256:") for file in files), package["name"]


def test_the_tool_takes_hosts_out_and_leaves_the_rest():
    text = (
        'source = { registry = "https://a.example/simple" }\nurl = "https://b.example/x/y/p-1.whl", hash = "sha256:1"\n'
    )
    assert neutral(text) == (
        'source = { registry = "https://registry.invalid/simple" }\n'
        'url = "https://registry.invalid/p-1.whl", hash = "sha256:1"\n'
    )
