"""HTTP/1.1 over sockets: reads a request, lets the fault strike, sends the reply."""

from __future__ import annotations

import itertools
import socket
import struct
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, urlsplit

from tests.wire.faults import Cut, Delay, DropAnswer, Endpoint, Late, Reply, Reset
from tests.wire.outcomes import new_id
from tests.wire.service import Call

if TYPE_CHECKING:
    from tests.wire.loopback import Loopback

_CHUNK = 1 << 16
_numbers = itertools.count(1)


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive over many requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    @property
    def owner(self) -> Loopback:
        return cast("Callable[[], Loopback]", self.server.owner)()  # type: ignore[attr-defined]  # set by it

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Quiet."""

    def _serve(self) -> None:
        url = urlsplit(self.path)
        service = self.owner.service
        target = service.route(self.command, url.path)
        if target is None:
            self._read_body(service.max_bytes(Endpoint.MESSAGES))
            self._send(service.nowhere())
            return
        endpoint, path_id = target
        fault = self.owner.faults.for_call(endpoint)
        if fault == Reset(body_read=False):
            self._reset()
            return
        body = self._read_body(service.max_bytes(endpoint))
        if fault == Reset(body_read=True):
            self._reset()
        elif body is None:
            self._send(service.too_large())
        elif isinstance(fault, Reply):
            self._send(fault)
        else:
            if isinstance(fault, Late):
                self.owner.closing.wait(fault.seconds)
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Call(path_id, parse_qs(url.query), headers, body, self.owner.url)
            self._deliver(service.handle(endpoint, call), fault)

    def _deliver(self, reply: Reply, fault: object) -> None:
        match fault:
            case DropAnswer():
                self.close_connection = True
            case Cut(fraction, silent) if reply.status == 200:  # OK
                self._send_cut(reply, fraction, silent=silent)
            case Delay(seconds):
                self.owner.closing.wait(seconds)
                self._send(reply)
            case _:
                self._send(reply)

    def _read_body(self, max_bytes: int) -> bytes | None:
        """The body; ``None`` if it is over the edge's limit (read all the same, so that the answer arrives)."""
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            body = b"".join(iter(self._read_chunk, b""))
        else:
            length = int(self.headers.get("content-length", 0))
            body = self.rfile.read(length)
            if len(body) < length:
                raise ConnectionAbortedError("the client went away")
        return body if len(body) <= max_bytes else None

    def _read_chunk(self) -> bytes:
        size = int(self.rfile.readline().split(b";")[0], 16)
        chunk = self.rfile.read(size)
        if len(chunk) < size or self.rfile.read(2) != b"\r\n":
            raise ConnectionAbortedError("the client went away")
        return chunk

    def _start(self, reply: Reply) -> bytes:
        """Send the head of the reply; gives the body."""
        request_id = new_id("req", f"{self.owner.faults.seed}:{next(_numbers)}")
        reply = self.owner.service.stamped(reply, request_id)
        self.send_response(reply.status)
        self.send_header("content-type", reply.content_type)
        for name, value in reply.headers:
            self.send_header(name, value)
        return reply.body

    def _send(self, reply: Reply) -> None:
        body = self._start(reply)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        if reply.on_send is not None:  # before the bytes go, so that whoever has read them finds it noted
            reply.on_send()
        self.wfile.write(body)
        self.wfile.flush()

    def _send_cut(self, reply: Reply, fraction: float, *, silent: bool) -> None:
        """Chunked, as the real results come; without the last chunk the client can tell that more was due."""
        body = self._start(reply)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        part = body[: int(len(body) * fraction)]
        if part.endswith(b"\n"):
            part = part[:-2]
        for start in range(0, len(part), _CHUNK):
            chunk = part[start : start + _CHUNK]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        if silent:
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()
        self.close_connection = not silent

    def _reset(self) -> None:
        """RST instead of FIN: the peer sees "connection reset"."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True
