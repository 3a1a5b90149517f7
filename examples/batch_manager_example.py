"""A folder of files over many small jobs, within a budget, and safe to stop: press Ctrl+C, and run it again.

What is finished is kept, and jobs in flight are found again: nothing is asked, or paid, twice. The state and the
outcomes are in ``--folder``; another folder is another run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from pydantic import BaseModel

from batchata import BatchManager
from examples._common import DOCUMENTS, WORKED_EXAMPLES

FILES = sorted(path for path in DOCUMENTS.glob("*.pdf") if not path.name.startswith("example-"))
EXAMPLES = [(path, {"sender": answer["sender"]}) for path, answer in WORKED_EXAMPLES]


class Sender(BaseModel):
    """What is asked of each file."""

    sender: str


def main() -> int:
    """Begin the run, or go on with it, and print what came of every file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="local/smollm2-135m", help="default: %(default)s")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "batchata-example")
    chosen = parser.parse_args()
    run = BatchManager(
        files=FILES,
        prompt="Extract the sender.",
        model=chosen.model,
        response_model=Sender,
        enable_citations=True,
        max_tokens=60,
        examples=EXAMPLES,
        items_per_job=1,
        max_parallel_jobs=2,
        max_cost="0.50",
        state_path=chosen.folder / "run.json",
        results_dir=chosen.folder / "results",
    )
    before = run.stats["completed_items"]
    print(f"{before} of {len(FILES)} files were finished before; the rest is asked now.")
    try:
        summary = run.run(print_progress=True)
    except KeyboardInterrupt as stopped:
        print("Stopped.", *stopped.__notes__)
        return 130
    for entry in run.results():
        result, error = entry["result"], entry["error"]
        answer = error["message"] if error is not None else result and result.sender
        print(f"  {entry['input']['name']:<26}{answer}")
    print(f"{summary['completed_items']} completed, {summary['failed_items']} failed, ${summary['total_cost']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
