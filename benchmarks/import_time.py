"""Import time of batchata against pydantic's: ``python -m benchmarks.import_time``.

Each import is timed in an interpreter of its own, the two by turns, so that a busy moment of the machine hits both.
Prints one line of a table, and exits with 1 when batchata takes more than 1.3 times as long.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

RUNS = 15
_COMPILING = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installed package is compiled; where this is set, ours would be compiled anew by each import, and theirs not."""
MAX_RATIO = 1.3


def seconds(module: str) -> float:
    """How long a fresh interpreter takes to import the module, its own start not counted."""
    code = f"import time; start = time.perf_counter(); import {module}; print(time.perf_counter() - start)"
    found = subprocess.run(  # noqa: S603  # our own interpreter
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60, env=_COMPILING
    )
    return float(found.stdout)


def measure(runs: int) -> tuple[float, float]:
    """Medians of (batchata, pydantic); one run of each before that fills the file caches."""
    seconds("batchata")
    seconds("pydantic")
    pairs = [(seconds("batchata"), seconds("pydantic")) for _ in range(runs)]
    return statistics.median(ours for ours, _ in pairs), statistics.median(theirs for _, theirs in pairs)


def main() -> int:
    """Measure, print, judge."""
    ours, theirs = measure(RUNS)
    ratio = ours / theirs
    verdict = "ok" if ratio <= MAX_RATIO else "TOO SLOW"
    print(
        f"| import batchata {ours * 1000:.0f} ms | import pydantic {theirs * 1000:.0f} ms "
        f"| ratio {ratio:.2f} (at most {MAX_RATIO}) | medians of {RUNS} | {verdict} |"
    )
    return 0 if ratio <= MAX_RATIO else 1


if __name__ == "__main__":
    sys.exit(main())
