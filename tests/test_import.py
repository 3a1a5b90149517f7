"""``import batchata`` loads none of the heavy libraries; how long it takes is for ``make bench`` to say."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = (
    "anthropic",
    "fsspec",
    "genai_prices",
    "httpx2",
    "inscriptis",
    "jinja2",
    "lxml",
    "mammoth",
    "pypdfium2",
    "rich",
    "tree_sitter",
    "typer",
    "xllamacpp",
)


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    """Top-level modules in a fresh interpreter after the import."""
    code = "import batchata, sys; print(*{name.partition('.')[0] for name in sys.modules})"
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60)
    return set(found.stdout.split())


def test_the_package_is_loaded(loaded: set[str]) -> None:
    assert "batchata" in loaded


@pytest.mark.parametrize("module", HEAVY)
def test_not_loaded(loaded: set[str], module: str) -> None:
    assert module not in loaded
