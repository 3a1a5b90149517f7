"""A loopback Anthropic: in this process as a context manager, or by itself.

``python -m tests.wire.anthropic_server --port 0 --ledger FILE`` prints its address and runs until SIGTERM or
SIGINT, which ends every open batch first, so that the ledger holds all that was bought.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import socket
import sys
import threading
from http.server import ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.wire import answers, faults
from tests.wire.api import Api
from tests.wire.batches import BatchStore, Checks, EndsAfter, Seconds
from tests.wire.faults import AnyItemFault, CallFault, Endpoint, Errored, Faults, ItemFault
from tests.wire.handler import Handler
from tests.wire.ledger import Ledger
from tests.wire.outcomes import AnswerFunction, Producer

KEY = "sk-ant-loopback-key"
MAX_BODY_BYTES = 32_000_000
MAX_BATCH_BYTES = 256_000_000


class _Listener(ThreadingHTTPServer):
    daemon_threads = False  # so that closing waits for them: no thread outlives its test
    request_queue_size = 128

    def __init__(self, port: int, owner: AnthropicServer) -> None:
        self._owner = owner
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def owner(self) -> AnthropicServer:
        return self._owner

    def process_request(self, request: socket.socket | tuple[bytes, socket.socket], client_address: object) -> None:
        if isinstance(request, socket.socket):
            with self._lock:
                self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        if isinstance(request, socket.socket):
            with self._lock:
                self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002  # base class
        error = sys.exception()
        if not isinstance(error, ConnectionError | TimeoutError) and error is not None:
            self._owner.crashes.append(error)

    def disconnect_all(self) -> None:
        """Kept-alive connections would otherwise hold their threads."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):  # the client closed it first
                    connection.shutdown(socket.SHUT_RDWR)


class AnthropicServer:
    """The server and its switches.

    Attributes:
        url: its address, for ``ANTHROPIC_BASE_URL``.
        key: the only key it takes.
        faults: what goes wrong.
        ledger: what was bought.
        batches: more switches (``done_at_cancel``, ``shuffle``) and ``settle()``.
        producer: the model (``answer``) and its prompt cache (``cache``).
        max_bytes: the edge's limits per endpoint; over them 413.
        closing: set when it stops; cuts delays short.
        crashes: exceptions inside the server: bugs of it, or of the test's answer function.
    """

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
        self.key = key
        self.faults = Faults(seed)
        self.ledger = Ledger(ledger_path)
        self.producer = Producer(answer, self.faults)
        self.batches = BatchStore(self.producer, self.ledger)
        self.ends_after = Checks(1) if ends_after is None else ends_after
        self.api = Api(key=key, batches=self.batches, producer=self.producer, ledger=self.ledger)
        self.max_bytes = dict.fromkeys(Endpoint, MAX_BODY_BYTES) | {Endpoint.CREATE: MAX_BATCH_BYTES}
        self.crashes: list[BaseException] = []
        self.closing = threading.Event()
        self._listener = _Listener(port, self)
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)

    @property
    def ends_after(self) -> EndsAfter:
        """When batches end: ``Checks(n)`` or ``Seconds(s)``; ``NEVER`` while a test wants them open."""
        return self.batches.ends_after

    @ends_after.setter
    def ends_after(self, value: EndsAfter) -> None:
        self.batches.ends_after = value

    @property
    def answer(self) -> AnswerFunction:
        """The model."""
        return self.producer.answer

    @answer.setter
    def answer(self, value: AnswerFunction) -> None:
        self.producer.answer = value

    def start(self) -> Self:
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop listening, cut every connection, and raise what went wrong inside."""
        self.closing.set()
        self._listener.shutdown()
        self._listener.disconnect_all()
        self._listener.server_close()
        self._thread.join()
        self.ledger.close()
        if self.crashes:
            raise RuntimeError("the server failed while it answered") from self.crashes[0]

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


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
