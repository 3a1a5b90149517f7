"""The results directory: what came back, as entries and as it came, and the way from there to entries again."""

from __future__ import annotations

from batchata.results.entries import Filed, kept
from batchata.results.files import PROCESSED, job_numbers
from batchata.results.load import fingerprints, iter_entries, load_results_from_disk, read_job
from batchata.results.processed import ResultsDir
from batchata.results.raw import Keep, open_raw_dir, write_raw, write_raw_lines

__all__ = [
    "PROCESSED",
    "Filed",
    "Keep",
    "ResultsDir",
    "fingerprints",
    "iter_entries",
    "job_numbers",
    "kept",
    "load_results_from_disk",
    "open_raw_dir",
    "read_job",
    "write_raw",
    "write_raw_lines",
]
