"""Progress of a run: a live display on a terminal or in a notebook, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from typing import TYPE_CHECKING, Protocol, TextIO

from batchata.progress import words
from batchata.progress.screen import live_console
from batchata.types import RunStats

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

__all__ = ["RunDisplay", "run_line", "show_run"]

_SECONDS_BETWEEN_LINES = 10.0
_WIDTH = 100
"""A bar as wide as a wide terminal is hard to read."""


class RunDisplay(Protocol):
    """Takes the numbers of a run as they change."""

    def update(self, stats: RunStats) -> None:
        """Show the newest numbers."""
        ...


@contextmanager
def show_run(*, wanted: bool, clock: Callable[[], float] = time.monotonic) -> Iterator[RunDisplay]:
    """A display on stderr while a run is worked on; silent unless wanted. It appears with the first numbers.

    A display that cannot be drawn any more, its terminal or pipe gone, does not stop the run.
    """
    shown = _shown(clock) if wanted else None
    if shown is None:
        yield _Silent()
        return
    try:
        yield shown
    finally:
        shown.close()


def run_line(stats: RunStats) -> str:
    """How a run stands, in one plain line."""
    facts = [
        words.items(stats) + words.failed(stats),
        words.jobs(stats),
        words.cost(stats),
        words.limit(stats),
        words.pace(stats),
        words.left(stats) or words.begun(stats),
    ]
    return "batchata: " + words.listed(facts)


class _Silent:
    def update(self, stats: RunStats) -> None:
        """Nobody is looking."""


def _shown(clock: Callable[[], float]) -> _Lines | _Panel | None:
    stream: TextIO | None = sys.stderr  # None in a process without a console, such as pythonw
    if stream is None:
        return None
    console = live_console(stream)
    return _Lines(stream) if console is None else _Panel(console, clock)


class _Lines:
    """The first numbers, then at most a line every ten seconds and only after a change, then the last numbers."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._newest: RunStats | None = None
        self._written: RunStats | None = None
        self._is_over = Event()
        # Changes come in bursts, then none for hours: only a thread can write what the end of a burst looks like.
        self._thread = Thread(target=self._write_now_and_then, name="batchata-progress", daemon=True)

    def update(self, stats: RunStats) -> None:
        is_first, self._newest = self._newest is None, stats
        if is_first:
            self.write()
            self._thread.start()

    def write(self) -> None:
        """Write how the run stands, unless that is what the last line says. Never called by two threads at once."""
        newest, written = self._newest, self._written
        if newest is None or (written is not None and _told(newest) == _told(written)):
            return
        self._written = newest
        with suppress(OSError, ValueError):  # a log that is gone, full or closed
            self._stream.write(f"{run_line(newest)}\n")
            self._stream.flush()

    def close(self) -> None:
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join()
        self.write()

    def _write_now_and_then(self) -> None:
        while not self._is_over.wait(_SECONDS_BETWEEN_LINES):
            self.write()


def _told(stats: RunStats) -> tuple[str | None, ...]:
    """What makes a new line worth writing: not that time went by."""
    return (
        words.items(stats),
        words.failed(stats),
        words.jobs(stats),
        words.cost(stats),
        words.limit(stats),
    )


class _Panel:
    """Three lines that are drawn anew in place, by a thread of rich's; they stay when the run is left."""

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        from rich.live import Live  # noqa: PLC0415  # imported where first used

        self._clock = clock
        self._newest: tuple[RunStats, float] | None = None
        self._is_over = False
        self._live = Live(
            console=console,
            get_renderable=self._draw,
            # Else what the user prints while the run goes on would leave the file that stdout goes to.
            redirect_stdout=sys.stdout is not None and sys.stdout.isatty(),
        )

    def update(self, stats: RunStats) -> None:
        self._newest = stats, self._clock()
        with suppress(OSError):  # the terminal is gone
            self._live.start(refresh=True)  # does nothing if started

    def close(self) -> None:
        self._is_over = True
        with suppress(OSError):
            if self._live.is_started:
                self._live.refresh()  # in a notebook, stop does not draw
            self._live.stop()

    def _draw(self) -> RenderableType:
        if self._newest is None:
            return ""
        stats, at = self._newest
        return _panel(stats, self._clock() - at, is_over=self._is_over)


def _panel(stats: RunStats, age: float, *, is_over: bool) -> RenderableType:
    """The numbers of ``age`` seconds ago, with the times of now."""
    from rich.console import Group  # noqa: PLC0415  # imported where first used
    from rich.constrain import Constrain  # noqa: PLC0415
    from rich.progress_bar import ProgressBar  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    total, done = stats["total_items"], words.done(stats)
    top = Table.grid(padding=(0, 1), expand=True)
    top.add_column(ratio=1)
    top.add_column(no_wrap=True)
    share = "" if not total else f"{done * 100 // total}%, "
    counts = Text.assemble(share, words.items(stats), (words.failed(stats), "red"))
    # rich lets a bar without a total move to and fro; the one that stays stands still, and is empty.
    length, part = (1, 0) if total is None and is_over else (total, done)
    # Not rich's own reddish bar: red is for what failed.
    top.add_row(ProgressBar(length, part, complete_style="cyan", pulse_style="cyan"), counts)
    left = None if is_over else words.left(stats, age)
    elapsed = f"elapsed {words.clock_time(stats['elapsed_time'] + age)}"
    work = words.listed([words.jobs(stats), words.jobs_done(stats), words.pace(stats), left, elapsed])
    money = Text(words.listed([words.cost(stats), words.reserved(stats)]))
    if limit := words.limit(stats):
        money.append(f", {limit}", "yellow")
    return Group(Constrain(top, _WIDTH), Text(work), money)
