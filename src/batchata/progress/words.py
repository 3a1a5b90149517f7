"""The facts about a run in words, each ``None`` where there is nothing to say."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from batchata.types import JobStatus, RunStats

_NOT_IN_FLIGHT = {JobStatus.PLANNED.value: "waiting to be sent", JobStatus.REJECTED.value: "refused"}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_CENT = -2
"""The exponent of a cent."""


def listed(facts: Iterable[str | None]) -> str:
    """Those that there are, on one line."""
    return ", ".join(fact for fact in facts if fact)


def done(stats: RunStats) -> int:
    """Items with an outcome."""
    return stats["completed_items"] + stats["failed_items"]


def items(stats: RunStats) -> str:
    """Items with an outcome, of all that there are."""
    total = stats["total_items"]
    if total is None:
        return f"{_counted(done(stats), 'item')} so far"
    return f"{done(stats):,} of {_counted(total, 'item')}"


def failed(stats: RunStats) -> str:
    """To be put behind ``items``; empty if none failed."""
    return f" ({stats['failed_items']:,} failed)" if stats["failed_items"] else ""


def jobs(stats: RunStats) -> str:
    """Jobs that are not over, by where they are; empty if there are none."""
    by_status = stats["jobs"]
    flying = sum(count for status, count in by_status.items() if status not in _NOT_IN_FLIGHT)
    counts = [(flying, "in flight")] + [(by_status.get(each, 0), said) for each, said in _NOT_IN_FLIGHT.items()]
    return listed(f"{_counted(count, 'job')} {said}" for count, said in counts if count)


def jobs_done(stats: RunStats) -> str:
    """Jobs that are over, to be put behind ``jobs``."""
    count = stats["jobs_completed"]
    return f"{count:,} done" if jobs(stats) else f"{_counted(count, 'job')} done"


def cost(stats: RunStats) -> str:
    """Dollars billed, of those that may be."""
    about = "about " if stats["cost_is_estimate"] else ""
    limit = "" if stats["max_cost"] is None else f" of {_cap(stats['max_cost'])}"
    if stats["total_cost"] is None:
        return f"cost unknown, at least {about}{_dollars(stats['known_cost'])}{limit}"
    return f"spent {about}{_dollars(stats['total_cost'])}{limit}"


def reserved(stats: RunStats) -> str | None:
    """What jobs in flight may still cost, where that was worked out."""
    more = stats["reserved_cost"]
    return f"up to {_dollars(more)} more in flight" if more else None


def limit(stats: RunStats) -> str | None:
    """That the budget keeps items from being sent."""
    return "the rest kept back by max_cost" if stats["cost_limit_reached"] else None


def pace(stats: RunStats) -> str | None:
    """Items a minute, or an hour where it takes longer."""
    minute = stats["items_per_minute"]
    if minute is None:
        return None
    return f"{_rate(minute)} items/min" if minute >= 1 else f"{_rate(minute * 60)} items/h"


def left(stats: RunStats, age: float = 0.0) -> str | None:
    """The time left, ``age`` seconds after the numbers; nothing once that is over, or will not come."""
    seconds = stats["seconds_left"]
    if seconds is None or seconds <= age or stats["cost_limit_reached"]:
        return None
    return f"about {_duration(seconds - age)} left"


def begun(stats: RunStats) -> str | None:
    """How long ago the run began, when it is over; days may lie between that and its last item."""
    is_over = done(stats) == stats["total_items"]
    return f"begun {_duration(stats['elapsed_time'])} ago" if is_over else None


def clock_time(seconds: float) -> str:
    """Exact to the second, and of the same width from one second to the next."""
    days, rest = divmod(int(seconds), _DAY)
    hours, rest = divmod(rest, _HOUR)
    time = f"{hours}:{rest // _MINUTE:02}:{rest % _MINUTE:02}"
    return f"{_counted(days, 'day')} {time}" if days else time


def _duration(seconds: float) -> str:
    if round(seconds) < _MINUTE:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / _MINUTE)
    if minutes < _HOUR // _MINUTE:
        return f"{minutes} min"
    if minutes < _DAY // _MINUTE:
        return f"{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")
    days, hours = divmod(round(seconds / _HOUR), 24)
    return _counted(days, "day") + (f" {hours} h" if hours else "")


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def _rate(value: float) -> str:
    """Two digits below ten, whole numbers from there."""
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"  # noqa: PLR2004  # the first with two digits


def _dollars(value: Decimal) -> str:
    return f"${value:,.4f}"


def _cap(value: Decimal) -> str:
    """As the user gave it, with cents."""
    exact = value.normalize()
    exponent = exact.as_tuple().exponent
    return f"${exact:,f}" if isinstance(exponent, int) and exponent < _CENT else f"${exact:,.2f}"
