"""A folder of files, a process that dies, and another that gets the job back by its id.

``BatchManager`` (splitting over many jobs, budget, resume from a state file) is still to come. This example shows
what carries it and works today: a submitted job outlives the process that submitted it. The first process submits,
keeps the job's id in a file and is killed; the second attaches to the job and reads its results, in input order.
Nothing is submitted, or paid, twice.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import tempfile
from pathlib import Path

from pydantic import BaseModel

from batchata import BatchJob, batch
from examples._common import DOCUMENTS, WORKED_EXAMPLES, chosen_model

FILES = sorted(path for path in DOCUMENTS.glob("*.pdf") if not path.name.startswith("example-"))
EXAMPLES = [(path, {"sender": answer["sender"]}) for path, answer in WORKED_EXAMPLES]


class Sender(BaseModel):
    """What is asked of each file."""

    sender: str


def submit(model: str, id_file: Path) -> None:
    """The first process: submits, writes down the id, and never gets to its results."""
    job = batch(
        model=model,
        files=FILES,
        prompt="Extract the sender.",
        response_model=Sender,
        enable_citations=True,
        max_tokens=60,
        examples=EXAMPLES,
    )
    id_file.write_text(job.id, encoding="utf-8")
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> None:
    """The second process: starts the first, sees it die, and collects."""
    model = chosen_model(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        id_file = Path(folder) / "job-id.txt"
        first = multiprocessing.get_context("spawn").Process(target=submit, args=(model, id_file))
        first.start()
        first.join()
        job_id = id_file.read_text(encoding="utf-8")
    print(f"The process that submitted {job_id} died (exit code {first.exitcode}). Attaching to its job.")
    job = BatchJob.attach(
        job_id, model=model, response_model=Sender, enable_citations=True, files=FILES, examples=EXAMPLES
    )
    for entry in job.wait().results():
        result, error = entry["result"], entry["error"]
        answer = error["message"] if error is not None else result and result.sender
        print(f"  {entry['input']['name']:<26}{answer}")
    job.stats(print_stats=True)


if __name__ == "__main__":
    main()
