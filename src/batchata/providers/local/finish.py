"""What is left of a job, and how to end it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from batchata.providers.local import lines
from batchata.providers.local.jobs import Job, ResultWriter
from batchata.types import Reason


def open_requests(job: Job) -> Iterator[dict[str, Any]]:
    """The requests without a line, in order."""
    answered = {json.loads(line)["custom_id"] for line in job.results()}
    for line in job.requests():
        request = json.loads(line)
        if request["custom_id"] not in answered:
            yield request


def finish(job: Job, reason: Reason, message: str) -> None:
    """Give every request without a line one that says why, and end the job. Call with the lock held."""
    writer = ResultWriter(job)
    for request in open_requests(job):
        writer.write(lines.failed(request, reason, message, retryable=True))
    writer.close()
    job.mark("ended")
