"""The results directory: what came back, as entries and as it came, and the way from there to entries again."""

from __future__ import annotations

from batchata.results.files import PROCESSED, job_numbers
from batchata.results.load import fingerprints, iter_entries, load_results_from_disk, read_job
from batchata.results.processed import ResultsDir
from batchata.results.raw import open_raw_dir, write_raw

__all__ = [
    "PROCESSED",
    "ResultsDir",
    "fingerprints",
    "iter_entries",
    "job_numbers",
    "load_results_from_disk",
    "open_raw_dir",
    "read_job",
    "write_raw",
]
