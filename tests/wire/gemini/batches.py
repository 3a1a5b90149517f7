"""Gemini's batches: how they are created, shown and read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from tests.wire.answers import JsonObject
from tests.wire.gemini.files import FileStore
from tests.wire.gemini.models import MODELS
from tests.wire.gemini.replies import not_found
from tests.wire.gemini.rules import RefusedError, check_fields, check_shape, normal
from tests.wire.jobs import Job, JobStore
from tests.wire.ledger import Ledger
from tests.wire.outcomes import Producer

_BATCH = {"displayName", "inputConfig", "priority", "webhookConfig", "model"}
_TYPE = "type.googleapis.com/google.ai.generativelanguage.v1main."
_FAILURE = 13


class GeminiBatches(JobStore):
    """All batches of the project.

    Attributes:
        partial: whether a job of which some requests failed says so in its state.
        keeps_canceled: whether a canceled job gives the results it had; what the real server does, nobody says.
    """

    def __init__(self, producer: Producer, ledger: Ledger, files: FileStore) -> None:
        super().__init__(producer, ledger, id_prefix="batches/b")
        self.partial = False
        self.keeps_canceled = False
        self._files = files

    def create(self, model: str, body: object) -> Job:
        """Check what the API checks at once, and accept."""
        if model not in MODELS or "batchGenerateContent" not in MODELS[model].actions:
            raise not_found(
                f"models/{model} is not found for API version v1beta, or is not supported for batchGenerateContent. "
                f"Call ListModels to see the list of available models and their supported methods."
            )
        batch = check_fields(check_fields(body, {"batch"}, "").get("batch"), _BATCH, "batch")
        source = check_fields(batch.get("inputConfig"), {"requests", "fileName"}, "batch.input_config")
        if not batch.get("displayName"):
            raise RefusedError("* GenerateContentBatch.display_name: display_name is required")
        if source.keys() == {"fileName"}:
            return self._from_file(model, batch["displayName"], source["fileName"])
        requests = _inlined(source)
        given = {"model": model, "name": batch["displayName"], "inline": True, "label": _label(source)}
        return self.accept(requests, given)

    def _from_file(self, model: str, name: str, file_name: str) -> Job:
        given: JsonObject = {"model": model, "name": name, "inline": False, "file": file_name}
        requests: list[tuple[str, JsonObject]] = []
        for number, line in enumerate(self._files.uploaded(file_name).splitlines(), start=1):
            try:
                entry = check_fields(orjson.loads(line), {"key", "request"}, f"line {number}")
                requests.append((entry["key"], normal(entry["request"])))
            except (orjson.JSONDecodeError, KeyError, RefusedError) as error:
                given["failure"] = f"Line {number} of {file_name} is not a request: {error}"
                requests = []
                break
        return self.accept(requests, given)

    def fail(self, message: str = "The batch failed for internal reasons.") -> None:
        """Every open batch fails as a whole."""
        with self._lock:
            for job in self._jobs.values():
                if job.ended_at is None:
                    job.given["failure"] = message
                    self._end(job, done=0.0)

    def results_file(self, name: str) -> bytes:
        """The content of the file of a job's results."""
        for job in self.newest_first():
            if f"files/{_file_id(job)}" == name and self._has_results(job) and not job.given["inline"]:
                return b"".join(job.lines)
        raise not_found(f"File {name} does not exist, or you do not have permission to access it.")

    def view(self, job: Job, *, whole: bool = True) -> JsonObject:
        """The batch as an operation; a list leaves inline results out."""
        state = self._state(job)
        about: JsonObject = {
            "@type": f"{_TYPE}GenerateContentBatch",
            "model": f"models/{job.given['model']}",
            "displayName": job.given["name"],
            "createTime": _iso(job.created_at),
            "updateTime": _iso(datetime.now(UTC)),
            "batchStats": _stats(job),
            "state": f"BATCH_STATE_{state}",
            "name": job.id,
        }
        if job.ended_at is None:
            return {"name": job.id, "metadata": about}
        about["endTime"] = _iso(job.ended_at)
        if not self._has_results(job):
            why = {"code": _FAILURE, "message": job.given.get("failure", f"The batch is {state}.")}
            return {"name": job.id, "metadata": about, "done": True, "error": why}
        output = self._output(job)
        if not whole and job.given["inline"]:
            return {"name": job.id, "metadata": about, "done": True}
        response = {"@type": f"{_TYPE}GenerateContentBatchOutput", **output}
        return {"name": job.id, "metadata": {**about, "output": output}, "done": True, "response": response}

    def _state(self, job: Job) -> str:
        if job.ended_at is None:
            return "RUNNING" if job.checks else "PENDING"
        if "failure" in job.given:
            return "FAILED"
        if job.expired_at is not None:
            return "EXPIRED"
        if job.cancel_initiated_at is not None:
            return "CANCELLED"
        return "PARTIALLY_SUCCEEDED" if self.partial and job.counts["errored"] else "SUCCEEDED"

    def _has_results(self, job: Job) -> bool:
        if job.archived_at is not None:
            return False
        return self._state(job) in {"SUCCEEDED", "PARTIALLY_SUCCEEDED"} or (
            self._state(job) == "CANCELLED" and self.keeps_canceled
        )

    def _output(self, job: Job) -> JsonObject:
        if not job.given["inline"]:
            return {"responsesFile": f"files/{_file_id(job)}"}
        results = [orjson.loads(line) for line in job.lines]
        label = job.given["label"]
        return {"inlinedResponses": {"inlinedResponses": [_with_metadata(result, label) for result in results]}}


def _with_metadata(result: JsonObject, label: str) -> JsonObject:
    return {**{key: value for key, value in result.items() if key != "key"}, "metadata": {label: result["key"]}}


def _label(source: JsonObject) -> str:
    """What the caller calls its id: the only word in the metadata that this server understands."""
    return next(iter(source["requests"]["requests"][0].get("metadata", {})), "key")


def _inlined(source: JsonObject) -> list[tuple[str, JsonObject]]:
    where = "batch.input_config.requests"
    entries: Any = normal(check_fields(source.get("requests"), {"requests"}, where).get("requests"))
    if not isinstance(entries, list) or not entries:
        raise RefusedError("* GenerateContentBatch.input_config.requests: must not be empty")
    requests: list[tuple[str, JsonObject]] = []
    for entry in entries:
        check_fields(entry, {"request", "metadata"}, f"{where}.requests")
        check_shape(entry.get("request"), f"{where}.requests.request")
        requests.append((next(iter(entry.get("metadata", {}).values()), ""), entry["request"]))
    return requests


def _stats(job: Job) -> JsonObject:
    """Numbers of 64 bits are strings in Google's JSON; nothing is counted before the end, as recorded."""
    total = len(job.items)
    if job.ended_at is None:
        return {"requestCount": str(total), "pendingRequestCount": str(total)}
    succeeded = job.counts["succeeded"]
    counted: Sequence[tuple[str, int]] = (
        ("requestCount", total),
        ("successfulRequestCount", succeeded),
        ("failedRequestCount", total - succeeded),
    )
    return {name: str(number) for name, number in counted if number}


def _file_id(job: Job) -> str:
    return "batch-" + job.id.partition("/")[2]


def _iso(when: datetime) -> str:
    """With nanoseconds, as Google writes it."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z"
