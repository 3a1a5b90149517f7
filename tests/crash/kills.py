"""The crash test: a run killed at every durable step and at random moments, and resumed until it is done.

``python -m tests.crash.kills --kills 320 --seed 0`` prints what was killed where, and ends with 1 if the server's
ledger or the results show anything but each item bought once and answered at its place. ``--every`` kills at each
point of the run, before and after (some 1,200 kills).
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from batchata import load_results_from_disk
from tests.crash.nursery import Ended, Nursery
from tests.crash.work import RESULTS, Attempt, Product, answer, product_of
from tests.providers.served import KINDS
from tests.wire.faults import Cut, DropAnswer, Endpoint, Reset
from tests.wire.jobs import Seconds
from tests.wire.loopback import Loopback

ITEMS, JOBS = 240, 20
_RANDOM_KILLS = 16
"""In one run."""
_KILLS_AT_POINTS = 40
"""In one run."""
_OUR_ID = re.compile(rb'"bt[0-9a-f]{12}-[0-9]+-([0-9]+)"')
_MOST_STARTS = 1_300
"""Of processes for one run; more, and it does not come forward."""


@dataclass(frozen=True, slots=True)
class Lineage:
    """One run over all the processes that worked on it.

    Attributes:
        kills: the points where it killed itself, ``random`` for a death from outside.
        problems: what must not be.
    """

    kills: Counter[str]
    problems: list[str]


@dataclass(slots=True)
class Plan:
    """How the processes of one run die: at each of these points once, and after these seconds."""

    points: set[str] = field(default_factory=set)
    moments: list[float] = field(default_factory=list)
    with_faults: bool = False
    state: str = "state.json"
    seed: int = 0


def misbehave(server: Loopback) -> None:
    """The faults of the wire that the mission names, all at once."""
    chances = server.faults
    chances.rate(Endpoint.CREATE, 0.05, DropAnswer())
    chances.rate(Endpoint.RESULTS, 0.05, Cut())
    chances.rate(Endpoint.RESULTS, 0.05, Cut(silent=True))
    chances.rate(None, 0.03, server.replies.rate_limited(0.01))
    chances.rate(None, 0.03, server.replies.server_error())
    chances.rate(None, 0.02, server.replies.server_error(503))
    chances.rate(None, 0.02, Reset())
    chances.rate(None, 0.02, Reset(body_read=True))


def live(nursery: Nursery, plan: Plan, provider: str = "anthropic") -> Lineage:
    """Kill and resume one run until it is done, and hold it against the ledger."""
    kills: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory(prefix="batchata-crash-") as folder,
        KINDS[provider].serve(answer, seed=plan.seed, ends_after=Seconds(0.03)) as server,
    ):
        if plan.with_faults:
            misbehave(server)
        attempt = Attempt(
            folder,
            server.url,
            server.key,
            items=ITEMS,
            state=plan.state.format(folder=folder),
            provider=provider,
        )
        ended = _until_done(nursery, attempt, plan, kills)
        problems = check(server, attempt, ended)
    return Lineage(kills, problems)


def _until_done(nursery: Nursery, attempt: Attempt, plan: Plan, kills: Counter[str]) -> Ended:
    moments, left = list(plan.moments), set(plan.points)
    for _ in range(_MOST_STARTS):
        after = moments.pop() if moments and not left else None
        ended = nursery.run(replace(attempt, kill_at=tuple(left), kill_after=after))
        if not ended.was_killed:
            return ended
        kills[ended.point or "random"] += 1
        left.discard(ended.point or "")
    raise RuntimeError(f"a run was not over after {_MOST_STARTS} processes")


def check(server: Loopback, attempt: Attempt, ended: Ended) -> list[str]:
    """What is wrong with a run that is over, by the server's ledger and by what is on the disk."""
    if ended.summary is None:
        return [f"the last process ended with {ended.error}"]
    ledger, folder = server.ledger, Path(attempt.folder)
    entries = attempt.manager().results()
    wanted = [product_of(item) for item in range(ITEMS)]
    accepted = [content for created in ledger.created for content in created.contents]
    known = sum((entry["cost_usd"] or Decimal(0) for entry in entries), Decimal(0))
    claims: dict[str, bool] = {
        f"bought twice: {len(ledger.bought_more_than_once())}": not ledger.bought_more_than_once(),
        f"accepted twice: {len(ledger.accepted_more_than_once())}": not ledger.accepted_more_than_once(),
        f"{len(accepted)} items accepted in {len(ledger.created)} jobs": (len(accepted), len(ledger.created))
        == (ITEMS, JOBS),
        f"{len(ledger.billed)} items billed": len(ledger.billed) == ITEMS,
        "an answer is not at its item": [entry["result"] for entry in entries] == wanted,
        "an entry is not at its place": [entry["input"]["index"] for entry in entries] == list(range(ITEMS)),
        f"the costs {known} are not the ledger's {ledger.total}": known == ledger.total,
        f"the summary is {ended.summary}": ended.summary
        == {
            "total_items": ITEMS,
            "completed_items": ITEMS,
            "failed_items": 0,
            "total_cost": ledger.total,
            "jobs_completed": JOBS,
            "cost_limit_reached": False,
        },
        "the results on disk are others": load_results_from_disk(folder / RESULTS, Product) == entries,
        "raw answers are missing, or there twice": _raw_items(folder / RESULTS / "raw") == list(range(ITEMS)),
        **_state_claims(folder),
    }
    return [claim for claim, holds in claims.items() if not holds]


def _raw_items(folder: Path) -> list[int]:
    lines = [line for path in folder.glob("job-*.jsonl") for line in path.read_bytes().splitlines()]
    return sorted(int(found[1]) for found in map(_OUR_ID.search, lines) if found is not None)


def _state_claims(folder: Path) -> dict[str, bool]:
    if not (folder / "state.json").exists():  # kept in a database
        return {}
    state = json.loads((folder / "state.json").read_bytes())
    planned = (state["planned"]["items"], state["planned"]["is_all"])
    return {
        f"the state says {state['live']}, {state['over']!r}": (state["live"], state["over"]) == ([], "0-19"),
        f"the state says planned: {planned}": planned == (ITEMS, True),
        "the state's lock is left behind": not (folder / "state.json.lock").exists(),
    }


def all_points(nursery: Nursery, provider: str = "anthropic") -> list[str]:
    """Every point of an undisturbed run, in order."""
    with (
        tempfile.TemporaryDirectory(prefix="batchata-crash-") as folder,
        KINDS[provider].serve(answer, ends_after=Seconds(0.03)) as server,
    ):
        passed = Path(folder, "points.log")
        folder_named = Attempt(folder, server.url, server.key, items=ITEMS, points=str(passed), provider=provider)
        ended = nursery.run(folder_named)
        assert check(server, folder_named, ended) == []
        return list(dict.fromkeys(passed.read_text("utf-8").splitlines()))


def kind_of(point: str) -> str:
    """The step without its number, for the table."""
    return re.sub(r"(?<=job )\d+|\d+-\d+\.json|(?<=job-)\d+", "*", point)


def chosen(points: Sequence[str], count: int, rng: random.Random) -> list[str]:
    """So many of the points, the kinds of step in turn, so that none is left out."""
    groups: dict[str, list[str]] = {}
    for point in rng.sample(points, len(points)):
        groups.setdefault(kind_of(point), []).append(point)
    turns = [point for turn in range(len(points)) for group in groups.values() for point in group[turn : turn + 1]]
    return turns[:count]


def plans(points: Sequence[str], rng: random.Random) -> Iterator[Plan]:
    """Runs that die at all of the points; every second one with faults on the wire."""
    for number, start in enumerate(range(0, len(points), _KILLS_AT_POINTS)):
        taken = set(points[start : start + _KILLS_AT_POINTS])
        yield Plan(taken, with_faults=bool(number % 2), seed=rng.randrange(1 << 30))


def random_plans(rng: random.Random) -> Iterator[Plan]:
    """Runs that die at random moments, without end; two thirds with faults, every third in SQLite."""
    for number in itertools.count():
        moments = [rng.uniform(0.05, 0.35) for _ in range(_RANDOM_KILLS)]
        state = "sqlite:///{folder}/state.db" if number % 3 == 1 else "state.json"
        yield Plan(moments=moments, with_faults=number % 3 < 2, state=state, seed=rng.randrange(1 << 30))


@dataclass(slots=True)
class Tally:
    """What came of all runs."""

    kills: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    with_faults: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, plan: Plan, lineage: Lineage) -> None:
        self.runs += 1
        self.with_faults += sum(lineage.kills.values()) if plan.with_faults else 0
        self.kills += lineage.kills
        self.problems += [f"run {self.runs} ({plan.seed}): {problem}" for problem in lineage.problems]

    def table(self) -> Iterator[str]:
        by_kind: Counter[str] = Counter()
        for point, count in self.kills.items():
            by_kind[kind_of(point)] += count
        for kind, count in sorted(by_kind.items(), key=lambda pair: pair[0].split(" ", 1)[::-1]):
            yield f"{count:6,}  {kind}"
        yield f"{self.kills.total():6,}  kills in {self.runs} runs, {self.with_faults:,} of them with wire faults"
        yield f"{len(self.problems):6,}  violations"


def tally(kills: int, seed: int, *, every: bool = False, provider: str = "anthropic") -> Tally:
    """Kill that often: three quarters at points, the rest at random moments."""
    rng = random.Random(seed)  # noqa: S311  # repeatable, not secret
    found = Tally()
    with Nursery(provider) as nursery:
        points = all_points(nursery, provider)
        wanted = rng.sample(points, len(points)) if every else chosen(points, kills * 3 // 4, rng)
        for plan in plans(wanted, rng):
            found.add(plan, live(nursery, plan, provider))
        # A death just before may have made a step needless, as when a lost create is found: once more, alone.
        for point in sorted(set(wanted) - set(found.kills)):
            plan = Plan({point})
            found.add(plan, live(nursery, plan, provider))
        for plan in random_plans(rng):
            if found.kills.total() >= kills and (not every or found.kills["random"] >= kills // 4):
                break
            found.add(plan, live(nursery, plan, provider))
    found.problems += [f"never reached: {point}" for point in sorted(set(wanted) - set(found.kills))]
    return found


def say(*words: object) -> None:
    print(*words, flush=True)  # noqa: T201  # for whoever started it


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.kills", description=__doc__)
    parser.add_argument("--kills", type=int, default=320)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--every", action="store_true", help="at every point of the run, before and after")
    parser.add_argument("--provider", choices=KINDS, default="anthropic")
    arguments = parser.parse_args()
    began = time.monotonic()
    found = tally(arguments.kills, arguments.seed, every=arguments.every, provider=arguments.provider)
    for line in [*found.table(), *found.problems]:
        say(line)
    say(f"{time.monotonic() - began:6.0f}  seconds")
    return 1 if found.problems else 0


if __name__ == "__main__":
    sys.exit(main())
