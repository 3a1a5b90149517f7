from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.crash.kills import check
from tests.crash.nursery import Nursery
from tests.crash.work import Attempt, answer
from tests.wire.anthropic_server import AnthropicServer
from tests.wire.faults import Endpoint, Late
from tests.wire.jobs import Seconds


def test_a_create_that_the_server_still_works_on_when_the_run_is_taken_up_again(tmp_path: Path) -> None:
    with AnthropicServer(answer, ends_after=Seconds(0.02)) as server, Nursery() as nursery:
        server.faults.at(Endpoint.CREATE, 4, Late(0.15))
        attempt = Attempt(str(tmp_path), server.url, server.key)
        assert nursery.run(replace(attempt, kill_at=("after create job 3: send 2",))).was_killed
        assert check(server, attempt, nursery.run(attempt)) == []
