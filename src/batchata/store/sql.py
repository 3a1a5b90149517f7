"""The state in a database. Imported only where one is named: it needs SQLAlchemy."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError as AddressError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from batchata.errors import ArgumentError, StateError, StateLockedError
from batchata.store.base import (
    VERSION,
    check_version,
    decode,
    decode_job,
    encode,
    encode_job,
    exists,
    foreign,
    missing,
)
from batchata.store.lock import FileLock, read_holder
from batchata.types import JobRecord, Planned, RunInfo, RunState, Totals
from batchata.types.runs import OVER

_TABLES = sa.MetaData()
_RUNS = sa.Table(
    "batchata_runs",
    _TABLES,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("run", sa.JSON, nullable=False),
    sa.Column("planned", sa.JSON, nullable=False),
    sa.Column("updated_at", sa.String, nullable=False),
)
_JOBS = sa.Table(
    "batchata_jobs",
    _TABLES,
    sa.Column("run", sa.ForeignKey(_RUNS.c.name), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("status", sa.String, nullable=False),
    sa.Column("items", sa.String, nullable=False),
    sa.Column("item_count", sa.Integer, nullable=False),
    sa.Column("inputs", sa.String, nullable=False),
    sa.Column("is_retry", sa.Boolean, nullable=False),
    sa.Column("unsent", sa.JSON, nullable=False),
    # Money as text: SQLite has no decimals.
    sa.Column("reserved_usd", sa.String),
    sa.Column("submitting_at", sa.String),
    sa.Column("provider_job_id", sa.String),
    sa.Column("rivals", sa.JSON, nullable=False),
    sa.Column("is_proven", sa.Boolean, nullable=False),
    sa.Column("completed", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("cost_usd", sa.String, nullable=False),
    sa.Column("unknown_costs", sa.Integer, nullable=False),
    sa.Column("cost_is_estimate", sa.Boolean, nullable=False),
    sa.Column("message", sa.String),
    sa.Column("max_tokens", sa.Integer),
)
_KEYS = ["run", "number"]
_IS_OVER = _JOBS.c.status.in_(sorted(OVER))

_ONE_VIEW = {"sqlite": "BEGIN", "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"}
"""Makes a transaction see the same in all its queries, whatever is saved meanwhile."""

_NAMESPACE = 1_113_682_036
"""Keeps our advisory locks in PostgreSQL apart from other programs'."""
_LOCK_TRIES = 10
_LOCK_PAUSE_SECONDS = 0.2
_LONGEST_WAIT_SECONDS = 30
"""For what another connection has locked: another run's writing in the same SQLite file, another program's tables."""


class SqlStore:
    """A ``Store`` in SQLite or PostgreSQL: a row for each run, a row for each job.

    In PostgreSQL the lock and the writing share one connection, so whoever lost the lock cannot write. A pooler
    between must hand out sessions, not transactions. In SQLite the lock is a file beside the database.
    """

    def __init__(self, address: str) -> None:
        url, self._run = _parse(address)
        self.name = _shown(url, self._run)
        self._pid = os.getpid()
        self._file_lock: FileLock | None = None
        with _refusing(self.name), contextlib.ExitStack() as resources:
            if url.get_backend_name() == "sqlite":
                self._file_lock = FileLock(_lock_path(url, self._run), self.name)
                resources.callback(self._file_lock.release)
            self._connection = _connect(url, resources)
            with self._transaction() as connection:
                _prepare(connection)
            if self._file_lock is None:
                _lock_postgres(self._connection, self._run, self.name)
            with self._transaction() as connection:
                _make_tables(connection, self.name)
            self._resources = resources.pop_all()

    def load(self) -> RunState | None:
        with self._transaction() as connection:
            return _load(connection, self._run, self.name)

    def create(self, run: RunInfo) -> None:
        row = {"version": VERSION, "run": encode(run), "planned": encode(Planned()), "updated_at": _now()}
        with self._transaction() as connection:
            insert = _insert(connection, _RUNS).values(name=self._run, **row).on_conflict_do_nothing()
            if connection.execute(insert).rowcount == 0:
                raise exists(self.name)

    def save(self, job: JobRecord, planned: Planned) -> None:
        row = encode_job(job) | {"run": self._run, "item_count": len(job.items)}
        with self._transaction() as connection:
            step = sa.update(_RUNS).where(_RUNS.c.name == self._run)
            if connection.execute(step.values(planned=encode(planned), updated_at=_now())).rowcount == 0:
                raise missing(self.name)
            upsert = _insert(connection, _JOBS).values(row)
            changed = {name: value for name, value in row.items() if name not in _KEYS}
            upsert = upsert.on_conflict_do_update(index_elements=_KEYS, set_=changed, where=~_IS_OVER)
            if connection.execute(upsert).rowcount == 0 and job.status not in OVER:
                raise ValueError(f"job {job.number} is over, and cannot become {job.status}")

    def close(self) -> None:
        if os.getpid() == self._pid:  # a fork's good-bye would end the connection of the process that it came from
            self._resources.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        if self._file_lock is not None:
            self._file_lock.check()
        if self._connection.closed or self._connection.invalidated or os.getpid() != self._pid:
            raise StateError(
                f"The connection to {self.name!r} was lost or closed, and the lock with it, or belongs to the process "
                f"that this one forked from. What was saved is whole. Take the run up again."
            )
        with _refusing(self.name), self._connection.begin():
            yield self._connection


def read_database(address: str) -> RunState | None:
    """What is stored there, without a lock: beside whoever has it.

    Raises ``StateError`` for what is not ours, or cannot be reached.
    """
    url, run = _parse(address)
    name = _shown(url, run)
    if url.get_backend_name() == "sqlite":
        try:
            Path(url.database or "").stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StateError(f"The state in {name!r} cannot be read: {error.strerror}.") from error
        # Not made if it goes now. Not "ro": a step that a process died in is taken back by whoever comes next.
        file = "file:" + quote(os.path.realpath(url.database or ""))
        url = url.set(database=file).update_query_dict({"mode": "rw", "uri": "true"})
    with _refusing(name), contextlib.ExitStack() as resources:
        connection = _connect(url, resources)
        resources.enter_context(connection.begin())
        connection.execute(sa.text(_ONE_VIEW[connection.dialect.name]))
        if connection.dialect.name == "postgresql":
            _limit_waits(connection)
        if not sa.inspect(connection).has_table(_RUNS.name):
            return None
        _check_version(connection, name)
        return _load(connection, run, name)


def read_database_holder(address: str) -> str | None:
    """Who has the lock, without taking it. Raises ``StateError`` where a server cannot be reached."""
    url, run = _parse(address)
    if url.get_backend_name() == "sqlite":
        holder = read_holder(_lock_path(url, run))
        return None if holder is None else str(holder)
    with _refusing(_shown(url, run)), contextlib.ExitStack() as resources:
        row = _postgres_holder(_connect(url, resources), run)
        return None if row is None else _told(row)


@contextlib.contextmanager
def _refusing(name: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        # Without the statement and its values, which SQLAlchemy's own message would repeat.
        reason = " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split()).rstrip(".?")
        raise StateError(
            f"The state in {name!r} cannot be read or written: {reason}. What was saved before is whole. Mend that, "
            f"or name another place for the state, and take the run up again."
        ) from error
    except AssertionError as error:  # SQLAlchemy's, in the place of an interrupt that comes while it commits
        interrupt = _interrupt_behind(error)
        if interrupt is None:
            raise
        raise interrupt from None


def _interrupt_behind(error: BaseException | None) -> KeyboardInterrupt | None:
    while error is not None and not isinstance(error, KeyboardInterrupt):
        error = error.__context__
    return error


def _load(connection: sa.Connection, run: str, name: str) -> RunState | None:
    mine = sa.select(_JOBS).where(_JOBS.c.run == run).order_by(_JOBS.c.number)
    try:
        row = connection.execute(sa.select(_RUNS).where(_RUNS.c.name == run)).mappings().one_or_none()
        if row is None:
            return None
        live = [decode_job(job._asdict()) for job in connection.execute(mine.where(~_IS_OVER))]
        return RunState(
            run=decode(RunInfo, row["run"]),
            planned=decode(Planned, row["planned"]),
            live={job.number: job for job in live},
            over=tuple(connection.scalars(mine.with_only_columns(_JOBS.c.number).where(_IS_OVER))),
            totals=_totals(connection, run),
        )
    except (ValueError, ArithmeticError) as error:  # no JSON, wrong values, or no number
        raise foreign(name, error) from error


def _parse(address: str) -> tuple[sa.URL, str]:
    """Where to connect, and the name of the run there."""
    try:
        url = sa.make_url(address)
    except (AddressError, ValueError) as error:  # not repeated: it may hold a password
        raise ArgumentError(
            "The address of the state's database cannot be read. Mind its '/', '@' and ':'."
        ) from error
    if url.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise ArgumentError(
            f"The state cannot be kept in a database {url.drivername!r}. Possible are 'sqlite:///run.db' and "
            f"'postgresql+psycopg://user@host/database', and a JSON document, such as 'run.json'."
        )
    if url.drivername == "sqlite" and (not url.database or url.database.startswith((":", "file:"))):
        raise ArgumentError("The state must outlive the process: give SQLite a file, as in 'sqlite:///run.db'.")
    run = url.query.get("run", "default")
    if not isinstance(run, str) or re.fullmatch(r"[A-Za-z0-9._-]{1,100}", run) is None:
        raise ArgumentError(f"The run's name {run!r} must be of 1 to 100 letters, digits, '.', '_' and '-'.")
    return url.difference_update_query(["run"]), run


def _shown(url: sa.URL, run: str) -> str:
    shown = url.difference_update_query(["password", "sslpassword"]).update_query_dict({"run": run})
    return shown.render_as_string(hide_password=True)


def _connect(url: sa.URL, resources: contextlib.ExitStack) -> sa.Connection:
    """One connection, never replaced behind our back; closed with the resources."""
    options: dict[str, Any] = {"poolclass": sa.NullPool}
    if url.get_backend_name() == "sqlite":
        # The runner may live on another thread.
        options["connect_args"] = {"timeout": _LONGEST_WAIT_SECONDS, "check_same_thread": False}
    connection = sa.create_engine(url, **options).connect()
    resources.callback(_close, connection)
    return connection


def _close(connection: sa.Connection) -> None:
    with contextlib.suppress(AttributeError):  # SQLAlchemy's, over a transaction that an interrupt left half begun
        connection.close()


def _prepare(connection: sa.Connection) -> None:
    """Commits must be on disk, and the server must notice within minutes that a machine is gone."""
    if connection.dialect.name == "sqlite":
        connection.execute(sa.text("PRAGMA synchronous=EXTRA"))
        return
    _limit_waits(connection)
    settings = {"tcp_keepalives_idle": "60", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "6"}
    settings["application_name"] = f"batchata process {os.getpid()} on host {socket.gethostname()!r}"[:63]
    if connection.scalar(sa.text("SELECT current_setting('synchronous_commit')")) == "off":
        settings["synchronous_commit"] = "on"
    for name, value in settings.items():
        connection.execute(sa.select(sa.func.set_config(name, value, False)))


def _limit_waits(connection: sa.Connection) -> None:
    """PostgreSQL waits for a lock for ever, unless its user has set a limit."""
    limit = "SELECT set_config('lock_timeout', :limit, false) WHERE current_setting('lock_timeout') = '0'"
    connection.execute(sa.text(limit), {"limit": f"{_LONGEST_WAIT_SECONDS}s"})


def _lock_path(url: sa.URL, run: str) -> Path:
    path = Path(os.path.realpath(url.database or ""))
    ending = "lock" if run == "default" else f"{run}.lock"
    return path.with_name(f"{path.name}.{ending}")


def _lock_postgres(connection: sa.Connection, run: str, name: str) -> None:
    """Lock the run for as long as the connection lives. Raises ``StateLockedError`` where another holds it."""
    key = _key(run)
    for attempt in range(_LOCK_TRIES):
        if attempt:  # the server takes a moment to notice a death
            time.sleep(_LOCK_PAUSE_SECONDS)
        with connection.begin():
            if connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_NAMESPACE, key))):
                return
    with connection.begin():
        row = _postgres_holder(connection, run)
    if row is None:
        raise StateLockedError(f"The state {name!r} was in use by another process until just now. Try again.")
    raise StateLockedError(
        f"The state {name!r} is in use by {_told(row)}. Wait until it ends, or end it; if its machine is gone, give "
        f"the database SELECT pg_terminate_backend({row.pid}). Then take the run up again."
    )


def _key(run: str) -> int:
    return int.from_bytes(hashlib.sha256(run.encode()).digest()[:4]) >> 1


def _postgres_holder(connection: sa.Connection, run: str) -> sa.Row[Any] | None:
    query = """
        SELECT pid, application_name, backend_start FROM pg_locks JOIN pg_stat_activity USING (pid)
        WHERE locktype = 'advisory' AND granted AND classid = :namespace AND objid = :key AND objsubid = 2
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
    return connection.execute(sa.text(query), {"namespace": _NAMESPACE, "key": _key(run)}).one_or_none()


def _told(holder: sa.Row[Any]) -> str:
    begun = holder.backend_start
    since = "an unknown time" if begun is None else begun.isoformat(timespec="seconds")
    return f"{holder.application_name.removeprefix('batchata ')}, since {since}"


def _make_tables(connection: sa.Connection, name: str) -> None:
    """Make our tables where there are none. Raises ``StateError`` for a newer version's."""
    if connection.dialect.name == "postgresql":  # two runs may begin at once
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_NAMESPACE, -1)))
    for table in _TABLES.sorted_tables:
        # Looked for first: making one takes a right, even where it is there.
        if not sa.inspect(connection).has_table(table.name):
            connection.execute(sa.schema.CreateTable(table, if_not_exists=True))
    _check_version(connection, name)


def _check_version(connection: sa.Connection, name: str) -> None:
    version = connection.scalar(sa.select(sa.func.max(_RUNS.c.version)))
    if version is not None:
        check_version(name, version)


def _totals(connection: sa.Connection, run: str) -> Totals:
    over = _IS_OVER & (_JOBS.c.run == run)
    again = sa.case((_JOBS.c.is_retry, _JOBS.c.item_count), else_=0)
    sums = sa.select(
        sa.func.count(),
        sa.func.coalesce(sa.func.sum(_JOBS.c.completed), 0),
        sa.func.coalesce(sa.func.sum(_JOBS.c.failed - again), 0),
        sa.func.coalesce(sa.func.sum(_JOBS.c.unknown_costs), 0),
        sa.func.coalesce(sa.func.sum(sa.case((_JOBS.c.reserved_usd.is_(None), _JOBS.c.unknown_costs), else_=0)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((_JOBS.c.cost_is_estimate, 1), else_=0)), 0),
    )
    jobs, completed, failed, unknown_costs, unheld_costs, estimates = connection.execute(sums.where(over)).one()
    costs = sa.select(_JOBS.c.cost_usd, sa.func.count()).where(over).group_by(_JOBS.c.cost_usd)
    unknown = sa.select(_JOBS).where(over, _JOBS.c.unknown_costs > 0)
    return Totals(
        jobs=jobs,
        completed=completed,
        failed=failed,
        cost_usd=sum((Decimal(cost) * times for cost, times in connection.execute(costs)), Decimal(0)),
        unknown_costs=unknown_costs,
        unheld_costs=unheld_costs,
        held_usd=sum((decode_job(job._asdict()).held_usd for job in connection.execute(unknown)), Decimal(0)),
        has_estimates=estimates > 0,
    )


def _insert(connection: sa.Connection, table: sa.Table) -> Any:
    """An insert of the dialect's own kind, which both have with the same ``on_conflict_…``; its rows are counted."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    return insert(table).execution_options(preserve_rowcount=True)


def _now() -> str:
    return datetime.now(UTC).isoformat()
