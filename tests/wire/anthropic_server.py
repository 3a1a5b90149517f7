"""A loopback Anthropic: in this process as a context manager, or by itself.

``python -m tests.wire.anthropic_server --port 0 --ledger FILE`` prints its address and runs until SIGTERM or
SIGINT, which ends every open batch first, so that the ledger holds all that was bought.
"""

from __future__ import annotations

import argparse
import signal
import threading
from pathlib import Path

from tests.wire import answers, faults
from tests.wire.api import AnthropicProducer, Api
from tests.wire.batches import BatchStore
from tests.wire.faults import AnyItemFault, CallFault, Endpoint, Errored, Faults, ItemFault, Reply
from tests.wire.jobs import Checks, EndsAfter, Seconds
from tests.wire.ledger import Ledger
from tests.wire.loopback import Loopback
from tests.wire.outcomes import AnswerFunction

KEY = "sk-ant-loopback-key"


class AnthropicReplies:
    """Refusals in Anthropic's words."""

    def rate_limited(self, retry_after: float | None = None) -> Reply:
        return faults.rate_limited(retry_after)

    def server_error(self, status: int = 500) -> Reply:
        return faults.server_error(status)

    def spend_limit(self) -> Reply:
        return faults.spend_limit_reached()


class AnthropicServer(Loopback):
    """A loopback Anthropic; ``url`` is for ``ANTHROPIC_BASE_URL``."""

    replies = AnthropicReplies()

    def __init__(
        self,
        answer: AnswerFunction = answers.echo,
        *,
        key: str = KEY,
        seed: int = 0,
        ends_after: EndsAfter | None = None,
        port: int = 0,
        ledger_path: Path | None = None,
    ) -> None:
        batches = BatchStore(AnthropicProducer(answer, Faults(seed)), Ledger(ledger_path))
        self.api = Api(key=key, batches=batches)
        super().__init__(self.api, batches, key=key, port=port)
        self.ends_after = Checks(1) if ends_after is None else ends_after


CALL_FAULTS: dict[str, CallFault] = {
    "429": faults.rate_limited(),
    "429-wait": faults.rate_limited(0.01),
    "500": faults.server_error(),
    "529": faults.server_error(529),
    "reset": faults.Reset(body_read=True),
    "reset-early": faults.Reset(),
    "drop": faults.DropAnswer(),
    "cut": faults.Cut(),
    "cut-silent": faults.Cut(silent=True),
}
ITEM_FAULTS: dict[str, AnyItemFault] = {**{fault.value: fault for fault in ItemFault}, "errored": Errored()}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.wire.anthropic_server", description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--ledger", type=Path, help="file that every purchase is appended to, as JSON lines")
    parser.add_argument("--key", default=KEY)
    parser.add_argument("--seed", type=int, default=0)
    ending = parser.add_mutually_exclusive_group()
    ending.add_argument("--ends-after-checks", type=int, default=1)
    ending.add_argument("--ends-after-seconds", type=float)
    parser.add_argument("--at", action="append", default=[], metavar="ENDPOINT:NUMBER:FAULT")
    parser.add_argument("--rate", action="append", default=[], metavar="ENDPOINT:RATE:FAULT")
    parser.add_argument("--items", action="append", default=[], metavar="RATE:FAULT")
    return parser.parse_args()


def _switch(chosen: Faults, arguments: argparse.Namespace) -> None:
    for entry in arguments.at:
        endpoint, number, name = entry.split(":")
        chosen.at(Endpoint(endpoint), int(number), CALL_FAULTS[name])
    for entry in arguments.rate:
        endpoint, rate, name = entry.split(":")
        chosen.rate(None if endpoint == "all" else Endpoint(endpoint), float(rate), CALL_FAULTS[name])
    for entry in arguments.items:
        rate, name = entry.split(":")
        chosen.items(float(rate), ITEM_FAULTS[name])


def main() -> None:
    """Run until told to stop."""
    arguments = _arguments()
    ends_after: EndsAfter = Checks(arguments.ends_after_checks)
    if arguments.ends_after_seconds is not None:
        ends_after = Seconds(arguments.ends_after_seconds)
    server = AnthropicServer(
        key=arguments.key,
        seed=arguments.seed,
        ends_after=ends_after,
        port=arguments.port,
        ledger_path=arguments.ledger,
    )
    _switch(server.faults, arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with server:
        print(server.url, flush=True)  # noqa: T201  # for whoever started it
        stop.wait()
        server.batches.settle()


if __name__ == "__main__":
    main()
