"""A loopback server that speaks Anthropic's Message Batches: ``python -m benchmarks.speed.server``.

Prints its address. Jobs end ``--delay`` seconds after they are created; answers are made when they are asked for, so
that a million of them take no room. ``GET /jobs`` tells when each job was created, and when it ended.
"""

from __future__ import annotations

import argparse
import random
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson

_ID = re.compile(rb'"custom_id"\s*:\s*"([^"\\]{1,64})"')
_ANSWER = (
    b'{"custom_id":"%b","result":{"type":"succeeded","message":{"id":"msg_013Zva2CMHLNnXjNJJKqJ2EF","type":"message",'
    b'"role":"assistant","model":"claude-haiku-5-5","content":[{"type":"text",'
    b'"text":"{\\"label\\":\\"item\\",\\"score\\":7}"}],"stop_reason":"end_turn","stop_sequence":null,'
    b'"usage":{"input_tokens":42,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":12,'
    b'"service_tier":"batch"}}}}\n'
)
_LINES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Job:
    """A job and the ids of its requests, a line each."""

    number: int
    ids: bytes
    count: int
    created_at: float
    ends_at: float

    def told(self, address: str) -> dict[str, object]:
        """As the API shows it."""
        is_over = time.time() >= self.ends_at
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        counts["succeeded" if is_over else "processing"] = self.count
        return {
            "id": f"msgbatch_{self.number:08d}",
            "type": "message_batch",
            "processing_status": "ended" if is_over else "in_progress",
            "request_counts": counts,
            "created_at": _stamp(self.created_at),
            "ended_at": _stamp(self.ends_at) if is_over else None,
            "expires_at": _stamp(self.created_at + 86_400),
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": f"{address}/v1/messages/batches/msgbatch_{self.number:08d}/results" if is_over else None,
        }

    def lines(self) -> Iterator[bytes]:
        """Its results, some at a time."""
        ids = self.ids.split(b"\n")
        for start in range(0, self.count, _LINES_AT_ONCE):
            yield b"".join([_ANSWER % each for each in ids[start : start + _LINES_AT_ONCE]])


def _stamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


@dataclass(slots=True)
class Jobs:
    """All jobs, oldest first."""

    delay: float
    jitter: float
    made: list[Job] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def create(self, body: bytes) -> Job:
        """A job of what is asked."""
        ids = _ID.findall(body)
        now = time.time()
        ends_at = now + self.delay * (1 + random.uniform(-self.jitter, self.jitter))  # noqa: S311  # no secret
        with self.lock:
            job = Job(len(self.made), b"\n".join(ids), len(ids), now, ends_at)
            self.made.append(job)
        return job


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    jobs: Jobs

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class names it so
        """Nothing is logged."""

    def do_POST(self) -> None:
        """Create a job; count tokens."""
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.path.endswith("/count_tokens"):
            self._send({"input_tokens": 42})
        else:
            self._send(self.jobs.create(body).told(self._address))

    def do_GET(self) -> None:
        """Everything that is asked for."""
        *_, before, last = self.path.partition("?")[0].split("/")
        if last == "results":
            self._stream(self._job(before))
        elif last == "jobs":
            self._send({"jobs": [[job.created_at, job.ends_at, job.count] for job in self.jobs.made]})
        elif before == "models":
            self._send({"id": last, "type": "model", "display_name": last, "created_at": _stamp(0)})
        elif last == "batches":
            shown = [job.told(self._address) for job in self.jobs.made[-1_000:][::-1]]
            self._send({"data": shown, "has_more": False, "first_id": None, "last_id": None})
        else:
            self._send(self._job(last).told(self._address))

    @property
    def _address(self) -> str:
        return f"http://{self.headers['host']}"

    def _job(self, name: str) -> Job:
        return self.jobs.made[int(name.removeprefix("msgbatch_"))]

    def _send(self, answer: object) -> None:
        self._head("application/json", len(body := orjson.dumps(answer)))
        self.wfile.write(body)

    def _stream(self, job: Job) -> None:
        size = job.count * (len(_ANSWER) - 2) + len(job.ids) - max(0, job.count - 1)
        self._head("application/x-jsonl", size)
        for piece in job.lines():
            self.wfile.write(piece)

    def _head(self, kind: str, size: int) -> None:
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(size))
        self.end_headers()


def main() -> None:
    """Serve until killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds until a job ends")
    parser.add_argument("--jitter", type=float, default=0.0, help="part of it by which it varies")
    given = parser.parse_args()
    Handler.jobs = Jobs(given.delay, given.jitter)
    server = ThreadingHTTPServer(("127.0.0.1", given.port), Handler)
    server.daemon_threads = True
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
