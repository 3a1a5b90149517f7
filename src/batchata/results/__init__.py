"""The results directory: what came back, as entries and as it came, and the way from there to entries again."""

from __future__ import annotations

from batchata.results.load import iter_entries, load_results_from_disk, read_job
from batchata.results.processed import ResultsDir
from batchata.results.raw import open_raw_dir, write_raw

__all__ = ["ResultsDir", "iter_entries", "load_results_from_disk", "open_raw_dir", "read_job", "write_raw"]
