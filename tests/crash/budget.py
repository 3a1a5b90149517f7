"""The budget test: random prices, sizes and faults, and a cap that the server's ledger must never pass.

``python -m tests.crash.budget --runs 320 --seed 0`` prints how much of the caps was used where they stopped work, and
ends with 1 if one was passed, or if money was left that would have paid the next item.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import batchata
from tests.crash.nursery import Ended, Nursery
from tests.crash.tariffs import TARIFFS, Billed
from tests.crash.work import Attempt
from tests.providers.served import KINDS
from tests.wire import answers, tokens
from tests.wire.answers import Answer, JsonObject
from tests.wire.faults import Cut, DropAnswer, Endpoint, Errored, ItemFault
from tests.wire.jobs import Seconds
from tests.wire.ledger import MILLION
from tests.wire.loopback import Loopback

ITEM_FAULTS = (
    ItemFault.EXPIRED,
    ItemFault.TRUNCATED,
    ItemFault.MALFORMED,
    ItemFault.MISSING,
    ItemFault.REFUSED,
    ItemFault.DUPLICATE,
    ItemFault.STRANGER,
    Errored(),
)
CALL_FAULTS = (
    (Endpoint.CREATE, 0.10, DropAnswer()),
    (Endpoint.RESULTS, 0.05, Cut()),
    (Endpoint.RESULTS, 0.05, Cut(silent=True)),
)


@dataclass(frozen=True, slots=True)
class Case:
    """One random run.

    Attributes:
        billed: what the server bills.
        share: of what all items together cost at most, the cap; below 0 for a cap that pays no item.
    """

    seed: int
    provider: str
    model: str
    billed: Billed
    texts: tuple[str, ...]
    arguments: dict[str, Any]
    is_structured: bool
    share: Decimal
    item_faults: float
    has_call_faults: bool
    kills: tuple[float, ...]
    retries: int
    ends_after: float


@dataclass(slots=True)
class Found:
    """What a run showed.

    Attributes:
        used: of the cap, where it stopped work and was 20 items' worth.
    """

    problems: list[str] = field(default_factory=list)
    stopped: bool = False
    used: float | None = None
    kills: int = 0
    unknown: bool = False
    largest_share: float = 0.0


def drawn(seed: int, provider: str = "anthropic") -> Case:
    """A run by chance; the same for the same seed."""
    rng = random.Random(seed)  # noqa: S311  # repeatable, not secret
    tariff = TARIFFS[provider]
    model = rng.choice(tariff.models)
    billed = tariff.billed(model)
    arguments: dict[str, Any] = {
        "model": model,
        "max_tokens": max(tariff.least_tokens, rng.choice([1, 8, 40, 150, 600])),
        "items_per_job": rng.choice([1, 2, 3, 7, 10, 25]),
        "max_parallel_jobs": rng.choice([1, 2, 3, 5, 9]),
        "raw_files": rng.random() < 0.2,
    }
    if model == tariff.own:
        billed = Billed(Decimal(rng.randint(1, 4000)) / 200, Decimal(rng.randint(1, 20000)) / 200)
        arguments["prices"] = {model: _as_prices(billed)}
    if rng.random() < 0.15:  # a shared beginning, long enough for the provider's cache
        examples = [[[{"role": "user", "content": f"Example {seed}. " + "Long words. " * 600}], "Item 0 has 0."]]
        arguments["examples"] = examples
    longest = rng.choice([40, 400, 4000])
    return Case(
        seed=seed,
        provider=provider,
        model=model,
        billed=billed,
        texts=tuple(
            f"Item {index}: {'padding ' * rng.randint(0, longest // 8)}"
            for index in range(rng.randint(1, 30) if rng.random() < 0.3 else rng.randint(70, 160))
        ),
        arguments=arguments,
        is_structured="examples" not in arguments and rng.random() < 0.4,
        share=Decimal(rng.choice(["-1", "0.02", "0.1", "0.25", "0.3", "0.35", "0.4", "0.5", "0.7", "1"])),
        item_faults=rng.choice([0, 0, 0, 0.02, 0.06]),
        has_call_faults=rng.random() < 0.4,
        kills=tuple(rng.uniform(0.02, 0.4) for _ in range(3)) if seed % 4 == 0 else (),
        retries=rng.choice([0, 1, 2]),
        ends_after=rng.choice([0, 0.02, 0.05]),
    )


def _as_prices(billed: Billed) -> dict[str, str]:
    """The prices as the user's table."""
    row = {
        "input": billed.input,
        "output": billed.output,
        "cache_read": billed.input * Decimal("0.1"),
        "cache_write": billed.input * Decimal("1.25"),
        "cache_write_1h": billed.input * 2,
    }
    return {key: str(dollars) for key, dollars in row.items()}


def answer(params: JsonObject) -> Answer:
    """Long or short by chance, the chance depending on the question alone; too long ones are cut by the server."""
    question = answers.last_user_text(params)
    found = re.search(r"Item (\d+):", question)
    assert found is not None
    item = int(found[1])
    rng = random.Random(question)  # noqa: S311  # repeatable, not secret
    padding = " " * int(answers.max_tokens_of(params) * 4 * rng.choice([0, 0.1, 0.5, 1, 1.2]))
    if answers.schema_of(params) is not None:
        return answers.text_answer(json.dumps({"item": item, "product": item * 37 + 11}) + padding)
    return answers.text_answer(f"Item {item} has {item * 37 + 11}.{padding}")


@dataclass(slots=True)
class Counted:
    """What the server said of the tokens of each question, and what it can bill for one at most."""

    case: Case
    by_text: dict[str, int] = field(default_factory=dict)

    def watch(self, server: Loopback) -> None:
        endpoints = getattr(server.service, "_endpoints")  # noqa: B009  # private to each of the servers
        real = endpoints[Endpoint.COUNT_TOKENS]

        def call(request: Any) -> Any:
            reply = real(request)
            said = json.loads(reply.body)
            self.by_text[answers.last_user_text(json.loads(request.body))] = (
                said["input_tokens"] if "input_tokens" in said else said["totalTokens"]
            )
            return reply

        endpoints[Endpoint.COUNT_TOKENS] = call

    def worst(self, text: str) -> Decimal:
        """By the documented formula: the count with a margin of 2 % and 32, and all of ``max_tokens``."""
        count, tariff = self.by_text[text], TARIFFS[self.case.provider]
        weighed = Decimal(count + count // 50 + 32)
        asks_for_cache = "examples" in self.case.arguments and self.case.arguments["items_per_job"] > 1
        if tariff.writes_unasked or (tariff.writes_when_asked and asks_for_cache):
            weighed *= Decimal("1.25")
        billed = self.case.billed
        cost = weighed * billed.input + self.case.arguments["max_tokens"] * billed.output
        geo = 1 if "prices" in self.case.arguments else tariff.geo
        worst: Decimal = cost / MILLION * geo
        return worst


def play(nursery: Nursery, case: Case) -> Found:
    """Make the run, and hold it against the server's ledger."""
    found = Found()
    tariff = TARIFFS[case.provider]
    with (
        tariff.billing(case.model, case.billed),
        tempfile.TemporaryDirectory(prefix="batchata-budget-") as folder,
        KINDS[case.provider].serve(answer, seed=case.seed, ends_after=Seconds(case.ends_after)) as server,
    ):
        tariff.misbehave(server)
        counted = Counted(case)
        counted.watch(server)
        attempt = Attempt(
            folder,
            server.url,
            server.key,
            texts=case.texts,
            is_structured=case.is_structured,
            arguments=case.arguments,
            provider=case.provider,
        )
        cap = _cap(nursery, attempt, case, counted)
        for fault in ITEM_FAULTS:
            if (
                case.is_structured or fault is not ItemFault.MALFORMED
            ):  # which is a right answer where text is asked for
                server.faults.items(case.item_faults, fault)
        if case.has_call_faults:
            for endpoint, chance, call_fault in CALL_FAULTS:
                server.faults.rate(endpoint, chance, call_fault)
            server.faults.rate(None, 0.04, server.replies.rate_limited(0.01))
            server.faults.rate(None, 0.04, server.replies.server_error())
        attempt = replace(attempt, arguments=case.arguments | {"max_cost": str(cap)})
        ended = _run(nursery, attempt, case, found)
        if _judge_money(found, server, ended, cap, "run"):
            _judge_work(found, attempt, ended, cap - server.ledger.total, counted)
            if server.ledger.bought_more_than_once():
                found.problems.append(f"bought twice: {len(server.ledger.bought_more_than_once())}")
        for _ in range(case.retries):
            done = {entry["input"]["index"] for entry in attempt.manager().results() if entry["error"] is None}
            before = _asked(server)
            ended = _run(nursery, replace(attempt, method="retry_failed"), case, found)
            _judge_money(found, server, ended, cap, "retry")
            if ended.summary is not None and ended.summary["completed_items"] < len(done):
                found.problems.append(f"retry: {len(done)} items were completed, and now it is {ended.summary}")
            if again := [item for item in done if _asked(server)[item] != before[item]]:
                found.problems.append(f"retry: items with an answer were asked for again: {again}")
    found.problems = [f"run {case.seed}: {problem}" for problem in found.problems]
    return found


def _asked(server: Loopback) -> Counter[int]:
    """How often each item was accepted, by the end of its custom_id."""
    ids = [custom_id for created in server.ledger.created for custom_id in created.custom_ids]
    return Counter(int(custom_id.rpartition("-")[2]) for custom_id in ids)


def _cap(nursery: Nursery, attempt: Attempt, case: Case, counted: Counted) -> Decimal:
    """By the worst costs of all items, which are learned from the server's counts by asking for an estimate."""
    Path(attempt.folder, "estimate").mkdir()
    nursery.run(replace(attempt, folder=str(Path(attempt.folder, "estimate")), method="estimate"))
    for text in case.texts:  # of many, only some are counted; the others by what one letter more takes
        counted.by_text.setdefault(text, _by_another(text, case.texts[0], counted.by_text[case.texts[0]]))
    worst = [counted.worst(text) for text in case.texts]
    if case.share < 0:
        return min(worst) * Decimal("0.9")
    total: Decimal = sum(worst, Decimal(0))
    return total * case.share


def _by_another(text: str, other: str, count: int) -> int:
    return count + tokens.text_tokens(text) - tokens.text_tokens(other)


def _run(nursery: Nursery, attempt: Attempt, case: Case, found: Found) -> Ended:
    for seconds in case.kills:
        ended = nursery.run(replace(attempt, kill_after=seconds))
        if not ended.was_killed:
            return ended
        found.kills += 1
    return nursery.run(attempt)


def _judge_work(found: Found, attempt: Attempt, ended: Ended, left: Decimal, counted: Counted) -> None:
    """What was asked and what was not, and why; ``left`` is what the ledger leaves of the cap."""
    summary, cap = ended.summary, Decimal(attempt.arguments["max_cost"])
    assert summary is not None
    entries = attempt.manager().results()
    pending = [each["input"]["index"] for each in entries if each["error"] and each["error"]["reason"] == "pending"]
    done = summary["completed_items"] + summary["failed_items"]
    if (done + len(pending), summary["total_items"], len(entries)) != (len(attempt.texts),) * 3:
        found.problems.append(f"{len(pending)} items are pending, and the summary is {summary}")
    if summary["cost_limit_reached"] != bool(pending):
        found.problems.append(f"cost_limit_reached, and {len(pending)} pending: {summary}")
    right = [entry["error"] is not None or _is_right(entry) for entry in entries]
    if not all(right):
        found.problems.append(f"a wrong answer at {right.index(False)}")
    found.stopped = bool(pending)
    if pending:
        held = Decimal(json.loads(Path(attempt.folder, attempt.state).read_bytes())["totals"]["held_usd"])
        following = counted.worst(attempt.texts[pending[0]])
        if left - held >= following:
            found.problems.append(f"{left} of {cap} left, and item {pending[0]} costs {following} at most")
        if cap >= 20 * max(map(counted.worst, attempt.texts)) and not held:
            found.used = float(1 - left / cap)


def _is_right(entry: batchata.BatchResult[Any]) -> bool:
    index = entry["input"]["index"]
    result: Any = entry["result"]
    if isinstance(result, str):
        return result.strip() == f"Item {index} has {index * 37 + 11}."
    return (result.item, result.product) == (index, index * 37 + 11)


def _judge_money(found: Found, server: Loopback, ended: Ended, cap: Decimal, when: str) -> bool:
    """The cap holds, and what is said of the costs is true; whether there is a summary at all."""
    total = server.ledger.total
    if total > cap:
        found.problems.append(f"{when}: {total} billed over the cap of {cap}")
    found.largest_share = max(found.largest_share, float(total / cap) if cap else 0.0)
    if ended.summary is None:
        found.problems.append(f"{when}: ended with {ended.error}")
        return False
    said = ended.summary["total_cost"]
    found.unknown |= said is None
    if said is not None and said != total:
        found.problems.append(f"{when}: {said} said, {total} billed")
    if said is None and not (ended.stats and ended.stats["unknown_costs"]):
        found.problems.append(f"{when}: no cost is said, and none is unknown: {ended.stats}")
    return True


def report(results: list[Found]) -> Iterator[str]:
    used = sorted(found.used for found in results if found.used is not None)
    kills, unknown = sum(found.kills for found in results), sum(found.unknown for found in results)
    largest, stopped = max(found.largest_share for found in results), sum(found.stopped for found in results)
    yield f"{len(results)} runs, {kills} kills, {unknown} with unknown costs"
    yield f"{stopped} stopped by the cap; largest share billed {largest:.4f}"
    if used:
        median = statistics.median(used)
        yield f"{len(used)} of them with a cap of 20 items or more: used median {median:.3f}, least {used[0]:.3f}"
    yield f"{sum(len(found.problems) for found in results)} violations"
    for found in results:
        yield from found.problems


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.crash.budget", description=__doc__)
    parser.add_argument("--runs", type=int, default=320)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--provider", choices=TARIFFS, default="anthropic")
    arguments = parser.parse_args()
    began = time.monotonic()
    with Nursery(arguments.provider) as nursery:
        cases = (drawn(arguments.seed * 1_000_000 + number, arguments.provider) for number in range(arguments.runs))
        results = [play(nursery, case) for case in cases]
    used = [found.used for found in results if found.used is not None]
    for line in [*report(results), f"{time.monotonic() - began:.0f} seconds"]:
        print(line, flush=True)  # noqa: T201  # for whoever started it
    poor = bool(used) and statistics.median(used) < 0.9
    return 1 if poor or any(found.problems for found in results) else 0


if __name__ == "__main__":
    sys.exit(main())
