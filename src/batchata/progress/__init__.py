"""Progress of jobs and runs on a terminal, in a notebook or in a log, and the printed form of statistics."""

from __future__ import annotations

from batchata.progress.job import Display, print_stats, show, stats_lines
from batchata.progress.run import RunDisplay, run_line, show_run

__all__ = ["Display", "RunDisplay", "print_stats", "run_line", "show", "show_run", "stats_lines"]
