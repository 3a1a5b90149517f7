"""The numbers of the overview, added up item by item, and their plots."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from batchata.report.items import Made
from batchata.report.quality import Flag, State
from batchata.types import Match, Origin

_BINS = 10
_UNCHECKED = "unchecked"
_TOKENS = ("input_tokens", "cached_input_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens")


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar, in percent of the longest."""

    kind: str
    count: int
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A labelled bar, in parts."""

    label: str
    count: int
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a histogram; ``height`` in percent of the highest."""

    label: str
    count: int
    height: float


@dataclass(slots=True)
class Totals:
    """Of all items added.

    Attributes:
        unknown_costs: items whose cost nobody knows.
        untold: items with a result for which no tokens were told.
    """

    items: int = 0
    cost: Decimal = Decimal(0)
    unknown_costs: int = 0
    cost_is_estimate: bool = False
    untold: int = 0
    tokens: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    flags: Counter[Flag] = field(default_factory=Counter)
    states: Counter[State] = field(default_factory=Counter)
    matches: Counter[tuple[str, Origin]] = field(default_factory=Counter)
    scores: list[int] = field(default_factory=lambda: [0] * _BINS)
    costs: array[float] = field(default_factory=lambda: array("d"))

    def add(self, made: Made) -> None:
        """Count one more item."""
        entry = made.entry
        self.items += 1
        self._add_cost(entry["cost_usd"], is_estimate=entry["cost_is_estimate"])
        if entry["usage"] is not None:
            used: Mapping[str, int] = dict(entry["usage"])  # type: ignore[arg-type]  # a TypedDict of integers
            self.tokens.update({name: used[name] for name in _TOKENS})
        elif entry["error"] is None:
            self.untold += 1
        if entry["error"] is not None:
            self.reasons[entry["error"]["reason"]] += 1
        self.flags.update(made.flags)
        self.states.update(made.states)
        for each in made.citations:
            self.matches[each.match or _UNCHECKED, each.origin] += 1
            if each.score is not None and each.match is not Match.NOT_FOUND:
                self.scores[min(_BINS - 1, max(0, int(each.score * _BINS)))] += 1

    def _add_cost(self, cost: Decimal | None, *, is_estimate: bool) -> None:
        if cost is None:
            self.unknown_costs += 1
            return
        self.cost += cost
        self.cost_is_estimate |= is_estimate
        self.costs.append(float(cost))

    def outcome_bars(self) -> list[Bar]:
        """How items ended."""
        rows = [("with a result", {"traced": self.items - self.reasons.total()})]
        rows += [(reason, {"missing": count}) for reason, count in self.reasons.most_common()]
        return _bars(rows)

    def state_bars(self) -> list[Bar]:
        """How well fields are traced."""
        return _bars([(_STATES[state], {state.value: self.states[state]}) for state in State if self.states[state]])

    def match_bars(self) -> list[Bar]:
        """How citations were found, by who made them."""
        kinds = [*Match, _UNCHECKED]
        rows = [
            (str(kind).replace("_", " "), {each.value: self.matches[kind, each] for each in Origin})
            for kind in kinds
        ]
        return _bars([(label, parts) for label, parts in rows if sum(parts.values())])

    def score_columns(self) -> list[Column]:
        """Scores of what was found, by tenths."""
        labels = [f"{at / _BINS:.1f} to {(at + 1) / _BINS:.1f}" for at in range(_BINS)]
        return _columns(labels, self.scores)

    def cost_columns(self) -> list[Column]:
        """Cost of items, from nothing to the dearest."""
        dearest = max(self.costs, default=0.0)
        if dearest <= 0:
            return []
        counts = [0] * _BINS
        for cost in self.costs:
            counts[min(_BINS - 1, int(cost / dearest * _BINS))] += 1
        step = dearest / _BINS
        return _columns([f"${at * step:.4f} to ${(at + 1) * step:.4f}" for at in range(_BINS)], counts)


_STATES = {
    State.TRACED: "verified",
    State.LOOSE: "unverified",
    State.MISSING: "not found",
    State.BLANK: "empty",
    State.UNASKED: "not cited",
}


def _bars(rows: Sequence[tuple[str, Mapping[str, int]]]) -> list[Bar]:
    longest = max((sum(parts.values()) for _, parts in rows), default=0) or 1
    bars = []
    for label, parts in rows:
        left, made = 0.0, []
        for kind, count in parts.items():
            width = count / longest * 100
            made.append(Part(kind, count, left, width))
            left += width
        bars.append(Bar(label, sum(parts.values()), tuple(made)))
    return bars


def _columns(labels: Sequence[str], counts: Sequence[int]) -> list[Column]:
    highest = max(counts, default=0)
    if highest == 0:
        return []
    return [Column(label, count, count / highest * 100) for label, count in zip(labels, counts, strict=True)]
