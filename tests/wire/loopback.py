"""A server on a loopback port, with its switches: sockets and threads, and no provider's protocol."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from http.server import ThreadingHTTPServer
from types import TracebackType
from typing import Self

from tests.wire.faults import Faults
from tests.wire.handler import Handler
from tests.wire.jobs import EndsAfter, JobStore
from tests.wire.ledger import Ledger
from tests.wire.outcomes import AnswerFunction, Producer
from tests.wire.service import Replies, Service


class Loopback:
    """A provider's server and its switches.

    Attributes:
        url: its address.
        key: the only key it takes.
        faults: what goes wrong.
        ledger: what was bought.
        batches: more switches (``done_at_cancel``, ``shuffle``) and ``settle()``.
        producer: the model (``answer``).
        replies: what this provider says when it refuses, to be set as faults.
        closing: set when it stops; cuts delays short.
        crashes: exceptions inside the server: bugs of it, or of the test's answer function.
    """

    replies: Replies

    def __init__(self, service: Service, batches: JobStore, *, key: str, port: int = 0) -> None:
        self.service = service
        self.batches = batches
        self.key = key
        self.crashes: list[BaseException] = []
        self.closing = threading.Event()
        self._listener = Listener(port, self)
        self.url = f"http://127.0.0.1:{self._listener.server_address[1]}"
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.02,), daemon=True)

    @property
    def producer(self) -> Producer:
        return self.batches.producer

    @property
    def ledger(self) -> Ledger:
        return self.batches.ledger

    @property
    def faults(self) -> Faults:
        return self.producer.faults

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


class Listener(ThreadingHTTPServer):
    """Accepts connections, and cuts them at the end."""

    daemon_threads = False  # so that closing waits for them: no thread outlives its test
    request_queue_size = 128

    def __init__(self, port: int, owner: Loopback) -> None:
        self._owner = owner
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(("127.0.0.1", port), Handler)

    def owner(self) -> Loopback:
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
