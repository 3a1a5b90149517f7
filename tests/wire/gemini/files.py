"""Uploaded files, by Google's resumable protocol."""

from __future__ import annotations

import itertools
import threading
from dataclasses import dataclass, field, replace

import orjson

from tests.wire.answers import JsonObject
from tests.wire.faults import Reply
from tests.wire.gemini.replies import invalid, not_found
from tests.wire.gemini.rules import normal
from tests.wire.outcomes import new_id
from tests.wire.service import Call, ok

_FILE = {"displayName", "mimeType", "sizeBytes", "name"}
_TYPES = {"jsonl", "application/jsonl"}


@dataclass(slots=True)
class Upload:
    """A file, as far as it came."""

    name: str
    about: JsonObject
    size: int
    content: bytearray = field(default_factory=bytearray)
    is_whole: bool = False


class FileStore:
    """All files that were uploaded."""

    def __init__(self) -> None:
        self._uploads: dict[str, Upload] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def upload(self, call: Call) -> Reply:
        """One call of the protocol: the start, or a piece."""
        if call.headers.get("x-goog-upload-command") == "start":
            return self._start(call)
        upload = self._uploads.get(call.query.get("upload_id", [""])[0])
        if upload is None or upload.is_whole:
            raise not_found("Upload not found.")
        return self._piece(call, upload)

    def uploaded(self, name: str) -> bytes:
        """The content of a file of requests."""
        for upload in self._uploads.values():
            if upload.name == name and upload.is_whole:
                if upload.about.get("mimeType") not in _TYPES:
                    raise invalid(f"The file {name} is not a JSONL file.")
                return bytes(upload.content)
        raise not_found(f"File {name} does not exist, or you do not have permission to access it.")

    @property
    def names(self) -> list[str | None]:
        """What the files were called, oldest first."""
        return [upload.about.get("displayName") for upload in self._uploads.values()]

    def _start(self, call: Call) -> Reply:
        about = normal(orjson.loads(call.body)).get("file", {})
        if about.keys() - _FILE:
            raise invalid(f"Unknown name \"{min(about.keys() - _FILE)}\" at 'file': Cannot find field.")
        if call.headers.get("x-goog-upload-header-content-type") != about.get("mimeType"):
            raise invalid("The content type of the upload is not the file's.")
        with self._lock:
            number = next(self._numbers)
            upload_id, name = new_id("upload", str(number)), f"files/{new_id('f', str(number))}"
            size = int(call.headers["x-goog-upload-header-content-length"])
            self._uploads[upload_id] = Upload(name, about, size)
        url = f"{call.base_url}/upload/v1beta/files?upload_id={upload_id}&upload_protocol=resumable"
        return replace(ok({}), headers=(("x-goog-upload-url", url), ("x-goog-upload-status", "active")))

    def _piece(self, call: Call, upload: Upload) -> Reply:
        if int(call.headers["x-goog-upload-offset"]) != len(upload.content):
            raise invalid("The offset of the upload is not where it stands.")
        upload.content += call.body
        if "finalize" not in call.headers["x-goog-upload-command"]:
            return replace(ok({}), headers=(("x-goog-upload-status", "active"),))
        if len(upload.content) != upload.size:
            raise invalid("The upload ended before the size that was said.")
        upload.is_whole = True
        file = {**upload.about, "name": upload.name, "sizeBytes": str(upload.size), "state": "ACTIVE"}
        return replace(ok({"file": file}), headers=(("x-goog-upload-status", "final"),))
