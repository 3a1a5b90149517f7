"""The compatible provider, through the public API, against a server that follows OpenAI in all manners of ways."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import socket
import struct
import threading
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Literal

import openai
import pytest
from pydantic import BaseModel

import batchata
from batchata import BatchJob, BatchManager, batch
from batchata.providers import provider_for
from batchata.providers.openai.snapshots import snapshot, time_of
from batchata.runner import submit
from batchata.types import Document, DocumentKind, DocumentPart, Message, Request, TextPart
from tests import small_files
from tests.wire import answers
from tests.wire.faults import Cut, DropAnswer, Endpoint, Errored, ItemFault, Reply, Reset
from tests.wire.jobs import NEVER, Checks
from tests.wire.openai import Leniency, OpenAIServer
from tests.wire.openai.producer import count

MODEL = "compatible/gpt-6-luna"
PRICES: dict[str, batchata.Price] = {MODEL: {"input": "0.05", "output": "0.25"}}
"""What the server bills."""

SWITCHES = [field.name for field in dataclasses.fields(Leniency)]
WAYS = {
    "as OpenAI": Leniency(),
    **{switch: Leniency(**{switch: True}) for switch in SWITCHES},
    "as Together": Leniency(
        upper_status=True, iso_dates=True, no_counts=True, no_metadata=True, wrapped_job=True, bare_lists=True
    ),
    "no metadata and no file names": Leniency(no_metadata=True, own_file_names=True),
    "in every way": Leniency(**dict.fromkeys(SWITCHES, True)),
}


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key, no address, no ``.env``, and no long wait for jobs: this server is never at work on one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(submit, "_LOOK_AFTER_SECONDS", (0.0, 0.1))
    monkeypatch.setattr(submit, "_LATE_SECONDS", 0.2)
    for variable in ("COMPATIBLE_API_KEY", "COMPATIBLE_BASE_URL", "OPENAI_API_KEY", "OPENAI_CUSTOM_HEADERS"):
        monkeypatch.delenv(variable, raising=False)


@contextlib.contextmanager
def served(monkeypatch: pytest.MonkeyPatch, leniency: Leniency | None = None) -> Iterator[OpenAIServer]:
    with OpenAIServer(leniency=leniency) as server:
        monkeypatch.setenv("COMPATIBLE_API_KEY", server.key)
        monkeypatch.setenv("COMPATIBLE_BASE_URL", f"{server.url}/v1")
        yield server


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    with served(monkeypatch) as server:
        yield server


@pytest.fixture(params=WAYS)
def lenient(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[OpenAIServer]:
    """A server of each kind."""
    with served(monkeypatch, WAYS[request.param]) as server:
        yield server


def ask(*texts: str) -> list[list[dict[str, Any]]]:
    return [[{"role": "user", "content": text}] for text in texts]


def results(job: BatchJob[Any]) -> list[Any]:
    return [entry["result"] for entry in job.results()]


def fail_some(params: dict[str, Any]) -> Any:
    faults = {
        "bad": Errored("invalid_request_error", "Upside down"),
        "late": ItemFault.EXPIRED,
        "long": ItemFault.TRUNCATED,
    }
    return faults.get(answers.last_user_text(params)) or answers.echo(params)


def test_answers_and_failures_of_a_batch(lenient: OpenAIServer) -> None:
    lenient.answer = fail_some
    entries = batch(MODEL, messages=ask("one", "bad", "two", "late", "long")).results()
    assert [entry["result"] for entry in entries] == ["one", None, "two", None, None]
    assert [entry["error"] and entry["error"]["reason"] for entry in entries] == [
        *(None, "errored", None, "expired", "truncated")
    ]
    assert entries[1]["error"] is not None
    assert "Upside down" in entries[1]["error"]["message"]
    assert len(lenient.ledger.created) == 1


def test_a_job_is_taken_up_by_its_id_while_it_runs(lenient: OpenAIServer) -> None:
    lenient.ends_after = Checks(3)
    job = batch(MODEL, messages=ask(*(f"{number}" for number in range(12))))
    taken: BatchJob[Any] = BatchJob.attach(job.id, model=MODEL)
    assert not taken.is_complete()
    assert results(taken) == [f"{number}" for number in range(12)]


def test_a_run_within_a_budget(lenient: OpenAIServer, tmp_path: Path) -> None:
    manager: BatchManager[str] = BatchManager(
        messages=ask(*(f"{number}" for number in range(20))),
        model=MODEL,
        items_per_job=4,
        max_parallel_jobs=2,
        max_tokens=50,
        max_cost="0.01",
        prices=PRICES,
        state_path=tmp_path / "run.json",
        results_dir=tmp_path / "out",
    )
    summary = manager.run()
    assert (summary["completed_items"], summary["failed_items"], summary["jobs_completed"]) == (20, 0, 5)
    assert summary["total_cost"] == lenient.ledger.total
    assert [entry["result"] for entry in manager.results()] == [f"{number}" for number in range(20)]
    assert lenient.ledger.accepted_more_than_once() == {}


def colleagues(server: OpenAIServer, *texts: str) -> None:
    """A job of as many requests that somebody made without this library, under a file name of theirs."""
    lines = [
        {"custom_id": f"theirs-{index}", "method": "POST", "url": "/v1/chat/completions", "body": body}
        for index, body in enumerate(
            {"model": "gpt-6-luna", "messages": [{"role": "user", "content": text}]} for text in texts
        )
    ]
    content = b"".join(json.dumps(line).encode() + b"\n" for line in lines)
    with openai.OpenAI(api_key=server.key, base_url=f"{server.url}/v1", max_retries=0) as client:
        file = client.files.create(file=("theirs.jsonl", content), purpose="batch")
        body = {"input_file_id": file.id, "endpoint": "/v1/chat/completions", "completion_window": "24h"}
        client.post("/batches", cast_to=object, body=body)


def test_a_create_whose_answer_was_lost_is_told_from_others(lenient: OpenAIServer) -> None:
    batch(MODEL, messages=ask("one of mine", "another"))
    colleagues(lenient, "one", "two")
    lenient.faults.next(Endpoint.CREATE, DropAnswer())
    job = batch(MODEL, messages=ask("a", "b"))
    colleagues(lenient, "three", "four")
    assert results(job) == ["a", "b"]
    assert len(lenient.ledger.created) == 4
    assert lenient.ledger.accepted_more_than_once() == {}


def test_a_create_that_never_arrived_is_sent_again_beside_those_of_others(lenient: OpenAIServer) -> None:
    batch(MODEL, messages=ask("one of mine", "another"))
    colleagues(lenient, "one", "two")
    lenient.faults.next(Endpoint.CREATE, Reset(body_read=True))
    assert results(batch(MODEL, messages=ask("a", "b"))) == ["a", "b"]
    assert lenient.ledger.accepted_more_than_once() == {}
    assert len(lenient.ledger.created) == 3


def test_a_lost_create_is_found_behind_more_jobs_than_a_page_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(monkeypatch, Leniency(no_metadata=True, oldest_first=True)) as server:
        for _ in range(101):
            colleagues(server, "one", "two", "three")
        server.faults.next(Endpoint.CREATE, DropAnswer())
        assert results(batch(MODEL, messages=ask("a", "b"))) == ["a", "b"]
        assert server.faults.calls[Endpoint.LIST] == 2
        assert len(server.ledger.created) == 102


@pytest.mark.parametrize("page", [b"{}", b'{"object": "error"}', b'"Welcome"', b"<html>Welcome</html>"])
def test_a_list_that_is_none_does_not_say_that_a_job_is_not_there(server: OpenAIServer, page: bytes) -> None:
    kind = "text/html" if page.startswith(b"<") else "application/json"
    server.faults.rate(Endpoint.LIST, 1.0, Reply(200, page, content_type=kind))
    server.faults.next(Endpoint.CREATE, DropAnswer())
    with pytest.raises(batchata.SubmissionInDoubtError, match="could not be looked for"):
        batch(MODEL, messages=ask("a", "b"))
    assert server.faults.calls[Endpoint.CREATE] == 1


@pytest.mark.parametrize("answer", [Reply(403, b"{}"), Reply(200, b"<html>"), Reply(200, b""), Reply(405, b"")])
def test_a_file_that_cannot_be_read_leaves_it_to_the_results(
    monkeypatch: pytest.MonkeyPatch, answer: Reply
) -> None:
    with served(monkeypatch, Leniency(no_metadata=True, own_file_names=True)) as server:
        server.faults.next(Endpoint.CREATE, DropAnswer())
        server.faults.next(Endpoint.RESULTS, answer)
        server.faults.next(Endpoint.FILE, answer)
        assert results(batch(MODEL, messages=ask("a", "b"))) == ["a", "b"]
        assert len(server.ledger.created) == 1


@pytest.mark.parametrize("endpoint", [Endpoint.UPLOAD, Endpoint.CREATE, Endpoint.RETRIEVE, Endpoint.MODELS])
def test_an_answer_that_was_cut_is_no_answer(server: OpenAIServer, endpoint: Endpoint) -> None:
    server.faults.next(endpoint, Cut(silent=True))
    if endpoint is Endpoint.MODELS:
        with pytest.raises(batchata.ProviderError, match="its answer is no JSON or was cut"):
            batch(MODEL, messages=ask("a", "b"))
    assert results(batch(MODEL, messages=ask("a", "b"))) == ["a", "b"]
    assert len(server.ledger.created) == 1


def test_what_was_done_is_kept(lenient: OpenAIServer) -> None:
    lenient.ends_after = NEVER
    canceled, expired = batch(MODEL, messages=ask("a", "b")), batch(MODEL, messages=ask("c", "d"))
    lenient.batches.done_at_cancel = 0.5
    canceled.cancel()
    entries = canceled.results()
    assert [entry["result"] for entry in entries] == ["a", None]
    assert entries[1]["error"] is not None
    assert entries[1]["error"]["reason"] == "canceled"
    lenient.batches.expire(done=0.5)
    entries = expired.results()
    assert [entry["result"] for entry in entries] == ["c", None]
    assert entries[1]["error"] is not None
    assert entries[1]["error"]["reason"] == "expired"


@pytest.mark.usefixtures("lenient")
def test_a_job_that_fails_says_why() -> None:
    job = batch("compatible/no-such-model", messages=ask("a"))
    with pytest.raises(batchata.JobFailedError, match=r"model_not_found: .*'no-such-model' .*\(line 1\)"):
        job.results()


@pytest.mark.usefixtures("server")
def test_a_model_that_is_not_listed_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "batchata")
    batch("compatible/gpt-6-lunar", messages=ask("a"))
    assert "does not list the model 'gpt-6-lunar'. Did you mean 'gpt-6-luna'" in caplog.text


def test_no_key_is_wanted_where_the_server_wants_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with OpenAIServer(key="none") as server:
        monkeypatch.setenv("COMPATIBLE_BASE_URL", f"{server.url}/v1")
        assert results(batch(MODEL, messages=ask("a"))) == ["a"]


class Colour(BaseModel):
    colour: Literal["red", "green"]


def test_objects_with_the_schema_enforced(lenient: OpenAIServer) -> None:
    seen: list[Any] = []

    def look(params: dict[str, Any]) -> answers.Answer:
        seen.append(answers.schema_of(params))
        return answers.json_answer({"colour": "green"})

    lenient.answer = look
    assert results(batch(MODEL, messages=ask("a"), response_model=Colour)) == [Colour(colour="green")]
    assert seen[0]["properties"]["colour"]["enum"] == ["red", "green"]


# --- what it costs -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("server")
def test_an_unknown_price_is_not_nothing(tmp_path: Path) -> None:
    job = batch(MODEL, messages=ask("a", "b"))
    assert [entry["cost_usd"] for entry in job.results()] == [None, None]
    assert job.stats()["total_cost"] is None
    manager: BatchManager[str] = BatchManager(
        messages=ask("a"), model=MODEL, state_path=tmp_path / "run.json", results_dir=tmp_path / "out"
    )
    assert manager.run()["total_cost"] is None


def test_a_budget_needs_prices(server: OpenAIServer, tmp_path: Path) -> None:
    places = {"state_path": tmp_path / "run.json", "results_dir": tmp_path / "out"}
    run: dict[str, Any] = {"messages": ask("a"), "model": MODEL, "max_cost": 1, **places}
    with pytest.raises(batchata.ArgumentError, match=r"prices=\{'gpt-6-luna'"):
        BatchManager(**run).run()
    assert server.ledger.created == []
    as_told: BatchManager[str] = BatchManager(**run, prices={"gpt-6-luna": {"input": "0.05", "output": "0.25"}})
    assert (
        as_told.run()["total_cost"] == server.ledger.total == Decimal("0.00000045")
    )  # (4 × 0.05 + 1 × 0.25) / 1e6


def png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"".join(b"\0" + bytes(width) for _ in range(height)))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def test_a_budget_holds_images(server: OpenAIServer, tmp_path: Path) -> None:
    for index in range(6):
        (tmp_path / f"{index}.png").write_bytes(png(40 + index, 40))
    run: dict[str, Any] = {
        "files": sorted(tmp_path.glob("*.png")),
        "prompt": "What is it?",
        "model": MODEL,
        "items_per_job": 1,
        "max_tokens": 100,
        "prices": PRICES,
        "results_dir": tmp_path / "out",
    }
    # An image may be 8,192 tokens, and what is around it some hundreds: 0.0004 dollars and more.
    refused: BatchManager[str] = BatchManager(**run, max_cost="0.0004", state_path=tmp_path / "a.json")
    summary = refused.run()
    assert (summary["completed_items"], summary["cost_limit_reached"]) == (0, True)
    assert server.ledger.created == []
    run["results_dir"] = tmp_path / "out2"
    taken: BatchManager[str] = BatchManager(**run, max_cost="0.001", state_path=tmp_path / "b.json")
    summary = taken.run()
    assert summary["completed_items"] == 6
    assert summary["total_cost"] == server.ledger.total


@pytest.mark.parametrize(
    "parts",
    [
        (TextPart("Hello"),),
        (TextPart("Ünïcödé 日本語 🎈" * 50),),
        (TextPart('"\\\n\t' * 100),),
        (DocumentPart(Document("a.png", DocumentKind.PNG, "image/png", small_files.PNG, size_px=(320, 240))),),
        (
            DocumentPart(Document("b.png", DocumentKind.PNG, "image/png", png(3000, 2000), size_px=(3000, 2000))),
            DocumentPart(Document("c.csv", DocumentKind.CSV, "text/csv", b"a,b", text="a,b\n" * 99)),
            TextPart("?"),
        ),
    ],
)
def test_a_request_never_has_more_tokens_than_the_bound(
    server: OpenAIServer, parts: tuple[TextPart | DocumentPart, ...]
) -> None:
    environment = {"COMPATIBLE_BASE_URL": server.url, "COMPATIBLE_API_KEY": "k"}
    provider, model = provider_for(MODEL, environment)
    schema: Any = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}
    request = Request("id", model, (Message("user", parts),), max_tokens=9, system="Be brief.", schema=schema)
    bound = provider.count_tokens(request)
    assert not bound.exact
    assert bound.tokens > count(json.loads(provider.encode(request))["body"])
    images = [part.document for part in parts if isinstance(part, DocumentPart) and part.document.kind.is_image]
    assert bound.tokens >= 8_192 * len(images)


# --- what is not such a server -----------------------------------------------------------------------


class Pages(BaseHTTPRequestHandler):
    """Answers by path what ``pages`` says, and 404 in HTML else; keeps what it was sent."""

    pages: dict[str, tuple[int, str, bytes]]
    headers_seen: list[dict[str, str]]

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.headers_seen.append(dict(self.headers))
        missing = (404, "text/html", b"<html><h1>404 Not Found</h1></html>")
        status, kind, body = self.pages.get(self.path, self.pages.get("*", missing))
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base class's name
        """Quiet."""


@contextlib.contextmanager
def showing(monkeypatch: pytest.MonkeyPatch, **pages: tuple[int, str, bytes]) -> Iterator[type[Pages]]:
    """A web server that is no batch server; the environment points to it."""
    handler = type("Handler", (Pages,), {"pages": pages, "headers_seen": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listener:
        thread = threading.Thread(target=listener.serve_forever, args=(0.02,))
        thread.start()
        monkeypatch.setenv("COMPATIBLE_BASE_URL", f"http://127.0.0.1:{listener.server_address[1]}/v1")
        yield handler
        listener.shutdown()
        thread.join()


MODELS = (200, "application/json", b'{"object": "list", "data": [{"id": "m"}]}')
WELCOME = (200, "text/html", b"<html>Welcome</html>")


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ({}, r"answered 404 while uploading .*404 Not Found.* Nothing is there: .*mostly ends with /v1"),
        ({"/v1/models": MODELS}, r"answered 404 while uploading .* the server may have no batches"),
        ({"*": WELCOME}, r"asking for its models, and answered something else: '<html>Welcome.* Check the address"),
        ({"/v1/models": MODELS, "*": WELCOME}, r"while uploading .* something else: '<html>Welcome"),
        ({"*": (200, "application/json", b"[]")}, r"while uploading .* something else: '\[\]'"),
        ({"*": (401, "application/json", b'{"detail": "No."}')}, r"answered 401 .*No\. Check COMPATIBLE_API_KEY"),
    ],
)
def test_something_else_at_the_address_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch, pages: dict[str, tuple[int, str, bytes]], words: str
) -> None:
    with showing(monkeypatch, **pages), pytest.raises(batchata.ProviderError, match=words) as caught:
        batch("compatible/m", messages=ask("a"))
    assert not caught.value.retryable
    assert not isinstance(caught.value, batchata.SubmissionInDoubtError)


def test_nobody_at_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("COMPATIBLE_BASE_URL", f"http://127.0.0.1:{port}/v1")
    with pytest.raises(batchata.ProviderError, match=rf"asking 'http://127.0.0.1:{port}/v1/' .*refused"):
        batch(MODEL, messages=ask("a"))


@pytest.mark.parametrize("address", ["localhost:8321/v1", "ftp://localhost/v1", "/v1"])
def test_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("COMPATIBLE_BASE_URL", address)
    with pytest.raises(batchata.ArgumentError, match=f"COMPATIBLE_BASE_URL is '{address}': .*http://localhost"):
        batch(MODEL, messages=ask("a"))


def test_what_is_meant_for_openai_is_sent_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
        monkeypatch.setenv(variable, "secret")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Gate: secret\nauthorization: Bearer secret")
    monkeypatch.setenv("COMPATIBLE_API_KEY", "mine")
    with showing(monkeypatch, **{"/v1/models": MODELS}) as page:
        with pytest.raises(batchata.ProviderError):
            batch("compatible/m", messages=ask("a"))
        assert [headers["authorization"] for headers in page.headers_seen] == ["Bearer mine"] * 2
        assert "secret" not in str(page.headers_seen)


# --- dates -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("told", "when"),
    [
        (1787150474, datetime(2026, 8, 19, 14, 41, 14, tzinfo=UTC)),
        (1787150474.5, datetime(2026, 8, 19, 14, 41, 14, 500_000, tzinfo=UTC)),
        (1787150474_000, datetime(2026, 8, 19, 14, 41, 14, tzinfo=UTC)),
        (1787150474_000_000_000, datetime(2026, 8, 19, 14, 41, 14, tzinfo=UTC)),
        ("1787150474", datetime(2026, 8, 19, 14, 41, 14, tzinfo=UTC)),
        ("2026-08-19T14:41:14Z", datetime(2026, 8, 19, 14, 41, 14, tzinfo=UTC)),
        ("2026-08-19T14:41:14", datetime(2026, 8, 19, 14, 41, 14, tzinfo=UTC)),
        (0, None),
        (-1, None),
        (float("inf"), None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (False, None),
    ],
)
def test_times_however_they_are_told(told: object, when: datetime | None) -> None:
    assert time_of(told) == when


def test_an_end_that_has_not_been_is_no_end() -> None:
    shown = {"id": "b", "status": "expired", "completed_at": 0, "failed_at": None, "expired_at": 1787150474}
    assert snapshot(shown, "x", lenient=True).ended_at == datetime(2026, 8, 19, 14, 41, 14, tzinfo=UTC)
