from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.crash.kills import check
from tests.crash.nursery import Nursery
from tests.crash.work import Attempt, answer
from tests.postgres import folder_of_programs, postgres_server
from tests.wire.anthropic_server import AnthropicServer
from tests.wire.jobs import NEVER, Seconds


@pytest.fixture(scope="module")
def nurseries() -> Iterator[tuple[Nursery, Nursery]]:
    with Nursery() as first, Nursery() as second:
        yield first, second


@pytest.fixture(params=["json", "sqlite", "postgresql"])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    with ExitStack() as rooms:
        match request.param:
            case "json":
                yield "state.json"
            case "sqlite":
                yield f"sqlite:///{tmp_path}/state.db"
            case _:
                programs = folder_of_programs()
                if programs is None:
                    pytest.skip("no PostgreSQL: make postgres")
                yield rooms.enter_context(postgres_server(programs))


def test_the_second_is_refused_and_takes_over_from_the_dead_first(
    state: str, tmp_path: Path, nurseries: tuple[Nursery, Nursery]
) -> None:
    first, second = nurseries
    with AnthropicServer(answer, ends_after=NEVER) as server:
        attempt = Attempt(str(tmp_path), server.url, server.key, state=state)
        pid = first.start(attempt)
        while len(server.ledger.answered) < 5:  # all that may be in flight
            time.sleep(0.01)
        refused = second.run(attempt)
        assert refused.error is not None
        assert refused.error[0] == "StateLockedError"
        assert f"process {pid} on host " in refused.error[1]
        os.kill(pid, signal.SIGKILL)
        assert first.ended(attempt).was_killed
        assert len(server.ledger.created) == 5
        server.ends_after = Seconds(0.02)
        assert check(server, attempt, second.run(attempt)) == []
