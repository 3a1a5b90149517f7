"""A job's result lines, fetched and checked off: every line is matched by its id, and nothing is taken on trust."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from batchata import results
from batchata.providers import Provider
from batchata.runner.task import parse_custom_id
from batchata.spool import Lines
from batchata.types import Failed, Outcome, Reason

logger = logging.getLogger(__name__)

_CUSTOM_ID = re.compile(rb'"(?:custom_id|key)"\s*:\s*"([^"\\]+)"')
"""What a line that cannot be read says of whose it is; Gemini calls it a key."""


Answered: TypeAlias = tuple[str, int, Outcome, bytes]
"""Whose run it is of, which item it is to, what it says, and the line that it came as."""


@dataclass(slots=True)
class Fetched:
    """What was read of a job, in a temporary file until it is closed.

    Attributes:
        lines: as they came.
        is_repeated: they were read twice, and stand there twice.
    """

    lines: Lines = field(default_factory=Lines)
    is_repeated: bool = False

    def close(self) -> None:
        """Give the file back."""
        self.lines.close()


def fetch(provider: Provider, provider_job_id: str, expected: int) -> Fetched:
    """Read a job's lines; once more where fewer than expected came: a download may end early in silence."""
    with contextlib.ExitStack() as undo:
        fetched = Fetched()
        undo.callback(fetched.close)
        fetched.lines.extend(provider.fetch(provider_job_id))
        if fetched.lines.count < expected:
            logger.warning("answers of %s are missing; reading its results once more", provider_job_id)
            fetched.lines.extend(provider.fetch(provider_job_id))
            fetched.is_repeated = True
        undo.pop_all()
        return fetched


class CheckOff:
    """Goes through lines: the first answer to an id counts, strangers are passed over.

    Args:
        run_id: whose lines to take; ``None`` takes those of any run.
        job: the job's number in its run.

    Attributes:
        strangers: how many lines answer something that this job did not ask.
        kin: how many of them answer another job of this run.
        left_out: positions of the strangers, and of second answers.
    """

    def __init__(self, provider: Provider, run_id: str | None, job: int) -> None:
        self._provider = provider
        self._run_id = run_id
        self._job = job
        self.strangers = self.kin = 0
        self.left_out: set[int] = set()

    def answers(self, fetched: Fetched) -> Iterator[Answered]:
        """The first answer to each item."""
        seen: set[tuple[str, int]] = set()
        decode = self._provider.decode
        for position, line in enumerate(fetched.lines):
            try:
                outcome: Outcome | None = decode(line)
            except ValueError as error:
                outcome = _unreadable(line, error)
            found = None if outcome is None else parse_custom_id(outcome.custom_id)
            if outcome is None or found is None:
                self._pass_over(position, line, is_kin=False)
                continue
            run, job, index = found
            if job != self._job or run != (self._run_id or run):
                self._pass_over(position, line, is_kin=run == self._run_id)
            elif (run, index) not in seen:
                seen.add((run, index))
                yield run, index, outcome, line
            else:
                self.left_out.add(position)
                if not fetched.is_repeated:
                    logger.warning("a second answer to %r is left out", outcome.custom_id)

    def _pass_over(self, position: int, line: bytes, *, is_kin: bool) -> None:
        self.left_out.add(position)
        self.strangers += 1
        self.kin += is_kin
        if self.strangers == 1:  # a whole job may be somebody else's
            logger.warning("result lines that this job did not ask for are left out, first: %r", line[:200])


@dataclass(frozen=True, slots=True)
class Checked:
    """A job's lines, checked off: by item index what came, and how many lines were not this run's."""

    outcomes: dict[int, Outcome]
    strangers: int


def read_answers(
    provider: Provider, provider_job_id: str, expected: int, run_id: str | None, keep: results.Keep
) -> Checked:
    """Fetch the lines of a job that is a run of its own, and check them off.

    ``run_id`` ``None`` takes the run that most lines name.
    """
    by_run: dict[str, dict[int, Outcome]] = {}
    with contextlib.closing(fetch(provider, provider_job_id, expected)) as fetched:
        check = CheckOff(provider, run_id, 0)
        for run, index, outcome, line in check.answers(fetched):
            keep(outcome.custom_id, line)
            by_run.setdefault(run, {})[index] = outcome
    outcomes = max(by_run.values(), key=len, default={})
    return Checked(outcomes, check.strangers + sum(map(len, by_run.values())) - len(outcomes))


def _unreadable(line: bytes, error: ValueError) -> Failed | None:
    """For a line that cannot be read but names its id, a failure that keeps it."""
    named = {found[1].decode("utf-8", "replace") for found in _CUSTOM_ID.finditer(line)}
    ours = [each for each in named if parse_custom_id(each) is not None]
    if len(ours) != 1:  # the text of an answer may name another
        return None
    words = f"an answer came and could not be read: {error}"
    return Failed(ours[0], Reason.ERRORED, words, text=line.decode("utf-8", "replace"), is_billed=None)
