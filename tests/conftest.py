"""What many tests need: a loopback provider, stores of every kind, and the shared data where it is at hand."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from batchata.errors import MissingWeightsError
from batchata.providers import provider_for
from batchata.runner import submit
from tests.postgres import folder_of_programs, postgres_server
from tests.wire.anthropic_server import AnthropicServer

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"


@pytest.fixture
def anthropic_server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[AnthropicServer]:
    """A loopback Anthropic that the environment points to; the working directory is empty, so has no ``.env``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(submit, "_LATE_SECONDS", 4.0)  # this server is never at work on a job for long
    for name in ("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.delenv(name, raising=False)
    with AnthropicServer() as server:
        monkeypatch.setenv("ANTHROPIC_BASE_URL", server.url)
        monkeypatch.setenv("ANTHROPIC_API_KEY", server.key)
        yield server


@pytest.fixture(scope="session")
def shared() -> Path:
    """The shared data beside the project; not part of it, so tests that read it skip without it."""
    if not SHARED.is_dir():
        pytest.skip(f"the shared data is not at hand: {SHARED} does not exist")
    return SHARED


@pytest.fixture
def local_weights() -> None:
    """Skips where the local engine has no weights."""
    try:
        provider, name = provider_for("local/smollm2-135m", os.environ)
        provider.describe(name)
    except MissingWeightsError as error:
        pytest.skip(f"the local engine has no weights on this machine: {error}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """An empty database on a server that runs as long as the tests do."""
    programs = folder_of_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: make postgres")
    with postgres_server(programs) as address:
        yield address


@pytest.fixture(params=["json", "sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Of a store of each kind, with nothing in it yet."""
    if request.param == "postgres":
        name = re.sub(r"[^A-Za-z0-9._-]", "-", request.node.name)
        return f"{request.getfixturevalue('postgres')}&run={name}"
    return str(tmp_path / "run.json") if request.param == "json" else f"sqlite:///{tmp_path}/run.db"
