"""The floor: a script as somebody in a hurry writes it. Raw HTTP, orjson, pydantic; no state, no files, no retries.

Nothing is kept if it is killed, nothing is known of costs, and an answer that does not validate ends it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import orjson

from benchmarks.speed.work import (
    MAX_TOKENS,
    MODEL,
    PROMPT,
    SCHEMA,
    Answer,
    Asked,
    asked,
    conversation,
    measure,
    pdf_files,
)

_FORMAT = {"format": {"type": "json_schema", "schema": SCHEMA}}
_HEADERS = {"content-type": "application/json", "x-api-key": "none", "anthropic-version": "2023-06-01"}


def scores(given: Asked) -> Iterator[int]:
    """The answers, job by job, in input order."""
    address = urlsplit(given.url)
    server = HTTPConnection(address.hostname or "", address.port)
    files = [] if given.pdfs is None else pdf_files(given.pdfs, given.items)
    for start in range(0, given.items, given.per_job):
        items = range(start, min(given.items, start + given.per_job))
        entries = [_entry(item, _document(files[item]) if files else conversation(item)) for item in items]
        job = orjson.loads(_ask(server, "POST", "", b'{"requests":[' + b",".join(entries) + b"]}"))["id"]
        while orjson.loads(_ask(server, "GET", f"/{job}"))["processing_status"] != "ended":
            pass
        server.request("GET", f"/v1/messages/batches/{job}/results", headers=_HEADERS)
        answers: list[Answer | None] = [None] * len(items)
        response = server.getresponse()
        for line in response:
            entry = orjson.loads(line)
            text = entry["result"]["message"]["content"][0]["text"]
            answers[int(entry["custom_id"]) - start] = Answer.model_validate_json(text)
        response.read()
        for answer in answers:
            if answer is not None:
                yield answer.score


def _entry(item: int, messages: object) -> bytes:
    params = {"model": MODEL, "max_tokens": MAX_TOKENS, "output_config": _FORMAT, "messages": messages}
    return orjson.dumps({"custom_id": str(item), "params": params})


def _document(path: Path) -> list[dict[str, object]]:
    data = base64.b64encode(path.read_bytes()).decode()
    source = {"type": "base64", "media_type": "application/pdf", "data": data}
    document = {"type": "document", "source": source, "title": path.name}
    return [{"role": "user", "content": [document, {"type": "text", "text": PROMPT}]}]


def _ask(server: HTTPConnection, method: str, path: str, body: bytes | None = None) -> bytes:
    server.request(method, f"/v1/messages/batches{path}", body, _HEADERS)
    return server.getresponse().read()


if __name__ == "__main__":
    measure(scores, asked())
