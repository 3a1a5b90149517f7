"""Whether the inputs of a run are still those that it was begun with; the ones that are needed are kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator
from dataclasses import dataclass, field

from batchata.errors import ArgumentError
from batchata.results import ResultsDir
from batchata.runner.drafting import UNREADABLE
from batchata.runner.inputs import Chain, Given, Inputs, joined
from batchata.runner.prepare import Preparer
from batchata.runner.task import Item
from batchata.types import JobRecord, RunState

_DIGEST_BYTES = 32
_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Verified:
    """What was planned before, read again.

    Attributes:
        items: those that are wanted, by index.
        digests: of these.
        chain: of all.
    """

    items: dict[int, Item] = field(default_factory=dict)
    digests: dict[int, str] = field(default_factory=dict)
    chain: Chain = field(default_factory=Chain)

    def items_of(self, job: JobRecord) -> list[Item]:
        """The items of a job."""
        return [self.items[index] for index in job.items]

    def digests_of(self, job: JobRecord) -> dict[int, str]:
        """What was read of those that can be sent."""
        unsent = dict(job.unsent)
        return {index: self.digests[index] for index in job.items if index not in unsent and self.digests[index]}


def verify(
    given: Given,
    inputs: Inputs,
    *,
    state: RunState,
    preparer: Preparer,
    results: ResultsDir,
    wanted: Container[int],
) -> Verified:
    """Read the planned inputs again and compare them with what was sent.

    Raises ``ArgumentError`` naming what changed. An input that could not be read and so was not sent may change.
    """
    verified = Verified()
    seen = _Digests()
    for index in range(state.planned.items):
        item = inputs.take()
        if item is None:
            raise ArgumentError(
                f"The run was begun with {state.planned.items:,} inputs or more, and now there are {index:,}. Give the "
                f"same inputs in the same order, or another state_path and results_dir for a new run."
            )
        digest = _digest(preparer, item)
        verified.chain.add((digest,))
        seen.add(digest)
        if index in wanted:
            verified.items[index], verified.digests[index] = item, digest
    if state.planned.items and verified.chain.digest != state.planned.digest:
        _refuse_changes(seen, state, results, given)
    if state.planned.is_all and inputs.has_more():
        raise ArgumentError(
            f"The run was begun with {state.planned.items:,} inputs, and now there are more. Give the same inputs in "
            f"the same order, or another state_path and results_dir for a new run."
        )
    return verified


def _digest(preparer: Preparer, item: Item) -> str:
    try:
        return preparer.digest(item)
    except UNREADABLE:
        return ""


class _Digests:
    """Digests by item in few bytes, for there may be millions."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def add(self, digest: str) -> None:
        self._bytes += bytes.fromhex(digest) if digest else bytes(_DIGEST_BYTES)

    def __getitem__(self, index: int) -> str:
        found = bytes(self._bytes[index * _DIGEST_BYTES : (index + 1) * _DIGEST_BYTES])
        return found.hex() if any(found) else ""


def _refuse_changes(seen: _Digests, state: RunState, results: ResultsDir, given: Given) -> None:
    sent: dict[int, str] = {}
    for number in results.job_numbers():
        sent.update(results.fingerprints(number))
    changed = sorted(index for index, digest in sent.items() if seen[index] != digest)
    named = [_named(given, index) for index in changed]
    if not changed:
        named = list(_changed_jobs(seen, state, given))
    elif Counter(sent[index] for index in changed) == Counter(seen[index] for index in changed):
        named[0] = f"the order of {named[0]}"
    if not named:
        return
    more = f" and {len(named) - _MOST_NAMED:,} more" if len(named) > _MOST_NAMED else ""
    gone = [index for index in changed if not seen[index]]
    words = f" ({gone[0]} cannot be read any more)" if gone else ""
    raise ArgumentError(
        f"The inputs are not those that the run {state.run.run_id!r} was begun with. Changed: "
        f"{', '.join(named[:_MOST_NAMED])}{more}{words}. Give the same inputs in the same order, or another state_path "
        f"and results_dir for a new run."
    )


def _changed_jobs(seen: _Digests, state: RunState, given: Given) -> Iterator[str]:
    """Jobs that are not over are known as a whole only."""
    for job in state.live.values():
        unsent = dict(job.unsent)
        if joined("" if index in unsent else seen[index] for index in job.items) != job.inputs:
            yield f"one of {_named(given, job.items[0])} to {_named(given, job.items[-1])}"


def _named(given: Given, index: int) -> str:
    name = given.item(index).name
    return f"{given.kind}[{index}]" if name is None else f"{given.kind}[{index}] ({name!r})"
