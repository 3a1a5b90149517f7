"""What a run costs beside the work itself: ``python -m benchmarks.speed [part]``.

Every figure is a ratio to a floor, a script written by hand with no safety at all, in the same run: the machine's speed
drops out. Each run is a process of its own; they take turns. Exits with 1 where a part misses its target.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.speed.processes import measured, peers, served
from benchmarks.speed.work import make_pdfs

SMALL, LARGE, HUGE = 10_000, 100_000, 1_000_000
PER_JOB = ("--per-job", "10000")
MOST_FLOORS, MOST_PDF_FLOORS = 5.0, 1.5
MOST_GROWTH_MB, MOST_BODIES = 60.0, 1.5


def items(repeats: int, others: Sequence[str]) -> Iterator[str]:
    """CPU for each small request: the slope between 10,000 and 100,000, so that starting drops out."""
    slopes: dict[str, list[float]] = {name: [] for name in ("floor", "ours", *others)}
    peaks: dict[str, tuple[float, float]] = {}
    for _ in range(repeats):
        for name, found in slopes.items():
            with served() as url:
                small, large = (measured(name, url, count, *PER_JOB) for count in (SMALL, LARGE))
            found.append((large.cpu_seconds - small.cpu_seconds) / (LARGE - SMALL) * 1_000)
            peaks[name] = small.peak_mb, large.peak_mb
    yield "| | CPU for an item, of the floor's | spread | here, ms | memory at 10,000 and 100,000 items, MB |"
    yield "|---|---|---|---|---|"
    floor = slopes["floor"]
    for name, found in slopes.items():
        ratios = sorted(each / base for each, base in zip(found, floor, strict=True))
        middle = statistics.median(found)
        missed = _verdict(statistics.median(ratios), MOST_FLOORS) if name == "ours" else ""
        yield (
            f"| {name} | {statistics.median(ratios):.1f} ×{missed} | {ratios[0]:.1f} to {ratios[-1]:.1f} "
            f"| {middle:.3f} | {peaks[name][0]:.0f}, {peaks[name][1]:.0f} |"
        )


def pdfs(repeats: int) -> Iterator[str]:
    """CPU for each of 1,000 PDFs of 200 kB."""
    with tempfile.TemporaryDirectory() as place:
        make_pdfs(Path(place), 200)
        yield "| 200 kB PDFs | CPU for an item, of the floor's | spread | here, ms |"
        yield "|---|---|---|---|"
        found: dict[str, list[float]] = {"floor": [], "ours": [], "ours, aligned citations": []}
        for _ in range(repeats):
            for name, slopes in found.items():
                options = ["--pdfs", place, "--per-job", "100", *(["--citations"] if "citations" in name else [])]
                with served() as url:
                    slopes.append(measured(name.partition(",")[0], url, 1_000, *options).cpu_seconds)
    for name, slopes in found.items():
        ratios = sorted(each / base for each, base in zip(slopes, found["floor"], strict=True))
        missed = _verdict(statistics.median(ratios), MOST_PDF_FLOORS) if name == "ours" else ""
        yield (
            f"| {name} | {statistics.median(ratios):.2f} ×{missed} | {ratios[0]:.2f} to {ratios[-1]:.2f} "
            f"| {statistics.median(slopes):.2f} |"
        )


def memory() -> Iterator[str]:
    """Peak memory with 1,000,000 small requests, against that with 10,000."""
    with served() as url:
        small, huge = (measured("ours", url, count, *PER_JOB) for count in (SMALL, HUGE))
    growth = huge.peak_mb - small.peak_mb
    yield (
        f"1,000,000 items: {huge.peak_mb:.0f} MB at most; 10,000 items: {small.peak_mb:.0f} MB; {growth:.0f} MB more "
        f"(at most {MOST_GROWTH_MB:.0f}){_verdict(growth, MOST_GROWTH_MB)}"
    )


def body() -> Iterator[str]:
    """Peak memory with one job of about 200 MB of PDFs, against its body."""
    with tempfile.TemporaryDirectory() as place, served() as url:
        make_pdfs(Path(place), 200)
        options = ("--pdfs", place, "--parallel", "1")
        one, many = (measured("ours", url, count, *options, "--per-job", str(count)) for count in (10, 740))
    size = 740 * 200 * 4 / 3 / 1_000
    yield (
        f"a job of {size:.0f} MB: {many.peak_mb:.0f} MB at most, {many.peak_mb / size:.2f} of its body "
        f"(10 PDFs: {one.peak_mb:.0f} MB){_verdict(many.peak_mb / size, MOST_BODIES)}"
    )


def parallel() -> Iterator[str]:
    """How full the provider is kept: 200 jobs of 10 items that take about 4 seconds, 20 at a time."""
    with served(delay=4.0, jitter=0.5) as url:
        run = measured("ours", url, 2_000, "--per-job", "10", "--parallel", "20")
        with urllib.request.urlopen(f"{url}/jobs") as answer:  # noqa: S310  # our own server
            jobs = json.load(answer)["jobs"]
    begun, last = jobs[0][0], jobs[-1][0]
    held = sum(min(end, last) - start for start, end, _ in jobs if start < last) / (last - begun)
    yield (
        f"200 jobs, 20 at a time: {held:.1f} in progress at the provider on average until the last was sent "
        f"({held / 20:.0%}); {run.wall_seconds:.0f} s in all, {200 * 4 / 20:.0f} s at best"
    )


_missed: list[str] = []


def _verdict(found: float, most: float) -> str:
    if found <= most:
        return ""
    _missed.append(f"{found:.2f} > {most}")
    return " (TOO MUCH)"


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts: dict[str, Callable[[], Iterator[str]]] = {
        "items": lambda: items(given.repeats, peers() if given.peers else ()),
        "pdfs": lambda: pdfs(given.repeats),
        "memory": memory,
        "body": body,
        "parallel": parallel,
    }
    parser.add_argument("part", nargs="*", choices=[*parts, []], help="which to measure (default: all)")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--peers", action="store_true", help="measure the peers too; they are installed first")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the figures into this page, too")
    given = parser.parse_args()
    blocks = []
    for name in given.part or parts:
        lines = []
        for line in parts[name]():
            print(line, flush=True)
            lines.append(line)
        blocks.append("\n".join(lines))
    if given.write is not None:
        _write(given.write, "\n\n".join(blocks))
    return 1 if _missed else 0


def _write(page: Path, figures: str) -> None:
    """Between the page's marks."""
    begin, end = "<!-- figures -->\n", "<!-- end of figures -->"
    before, mark, rest = page.read_text(encoding="utf-8").partition(begin)
    _, _, after = rest.partition(end)
    if not mark:
        raise SystemExit(f"{page} has no line {begin.strip()!r}")
    page.write_text(f"{before}{begin}\n{figures}\n\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
