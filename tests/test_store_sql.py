"""The state in a database: what only SQLite and PostgreSQL can meet."""

from __future__ import annotations

import itertools
import os
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from batchata.errors import MissingExtraError, StateError
from batchata.store import open_store, read_state, sql
from batchata.types import Planned, RunState, Totals
from tests.stores import (
    BARE,
    FULL,
    PLANNED,
    RUN,
    at_line,
    begin,
    interrupt,
    loaded,
    opened,
    over,
    state_after,
    step_of,
)


def test_a_reader_makes_no_tables(postgres: str) -> None:
    other = other_database(postgres, "bare")
    assert read_state(other) is None
    assert tables_of(other) == []


def test_a_reader_of_another_program_s_tables(postgres: str) -> None:
    other = other_database(postgres, "others")
    with sa.create_engine(other, poolclass=sa.NullPool).begin() as connection:
        connection.execute(sa.text("CREATE TABLE batchata_runs (kilometres integer)"))
    with pytest.raises(StateError, match="cannot be read or written: column .* does not exist"):
        read_state(other)
    assert tables_of(other) == ["batchata_runs"]


def other_database(postgres: str, name: str) -> str:
    engine = sa.create_engine(postgres, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    return postgres.replace("/postgres?", f"/{name}?")


def tables_of(address: str) -> list[str]:
    with sa.create_engine(address, poolclass=sa.NullPool).connect() as connection:
        return sa.inspect(connection).get_table_names()


@pytest.mark.parametrize("address", ["sqlite", "postgres"], indirect=True)
def test_runs_in_one_database_are_apart(address: str) -> None:
    first = address if "run=" in address else f"{address}?run=first"
    second = first + ".2"
    with opened(first) as one, opened(second) as two:
        one.create(RUN)
        two.create(replace(RUN, run_id="two"))
        one.save(FULL, PLANNED)
        two.save(over(7, cost="5"), Planned(items=1))
        assert one.load() == RunState(run=RUN, planned=PLANNED, live={7: FULL})
    assert loaded(second) == RunState(
        run=replace(RUN, run_id="two"),
        planned=Planned(items=1),
        over=(7,),
        totals=Totals(jobs=1, completed=1, cost_usd=Decimal(5)),
    )


def test_a_lost_connection_ends_the_writing(postgres: str) -> None:
    address = f"{postgres}&run=lost"
    with opened(address) as store:
        store.create(RUN)
        store.save(FULL, PLANNED)
        engine = sa.create_engine(postgres, poolclass=sa.NullPool)
        with engine.connect() as other:
            ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE :name"
            found = other.execute(sa.text(ended), {"name": f"batchata process {os.getpid()} on host%"}).all()
        assert found == [(True,)]
        with pytest.raises(StateError, match="cannot be read or written: .*terminating connection"):
            store.save(BARE, PLANNED)
        with opened(address) as other_store:
            assert read_state(address) == RunState(run=RUN, planned=PLANNED, live={7: FULL})
            with pytest.raises(StateError, match="was lost or closed, and the lock with it"):
                store.save(BARE, PLANNED)
            assert other_store.load() == RunState(run=RUN, planned=PLANNED, live={7: FULL})


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    address = f"postgresql+psycopg://me:s3cret@/postgres?host={tmp_path}&password=s3cret"
    with pytest.raises(StateError, match="cannot be read or written: connection .*: No such file") as error:
        open_store(address)
    assert "s3cret" not in str(error.value)
    with pytest.raises(StateError) as other:
        read_state(address)
    assert str(other.value) == str(error.value)


def test_a_database_without_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    monkeypatch.delitem(sys.modules, "batchata.store.sql", raising=False)
    with pytest.raises(MissingExtraError, match="pip install 'batchata\\[postgres\\]'"):
        open_store(f"sqlite:///{tmp_path}/run.db")
    with pytest.raises(MissingExtraError, match="pip install 'batchata\\[postgres\\]'"):
        read_state(f"sqlite:///{tmp_path}/run.db")


def test_another_program_s_lock_is_not_waited_for_without_end(
    postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "_LONGEST_WAIT_SECONDS", 1)
    address = other_database(postgres, "locked")
    begin(address, FULL)
    with sa.create_engine(address, poolclass=sa.NullPool).connect() as other, opened(address) as store:
        other.execute(sa.text("SELECT * FROM batchata_runs FOR UPDATE"))
        with pytest.raises(StateError, match="cannot be read or written: .*due to lock timeout"):
            store.save(BARE, PLANNED)
        other.execute(sa.text("LOCK TABLE batchata_runs IN ACCESS EXCLUSIVE MODE"))
        with pytest.raises(StateError, match="cannot be read or written: .*due to lock timeout"):
            read_state(address)
        other.rollback()
        store.save(BARE, PLANNED)
    assert loaded(address) == RunState(run=RUN, planned=PLANNED, live={0: BARE, 7: FULL})


def test_a_limit_on_waiting_that_the_user_set_is_kept(postgres: str) -> None:
    with opened(f"{postgres}&run=patient&options=-c lock_timeout=5s") as store:
        assert isinstance(store, sql.SqlStore)
        assert store._connection.scalar(sa.text("SHOW lock_timeout")) == "5s"


@pytest.mark.filterwarnings("ignore:transaction already deassociated")  # SQLAlchemy's, beside the interrupt
@pytest.mark.parametrize("address", ["sqlite", "postgres"], indirect=True)
def test_an_interrupt_in_the_midst_of_a_transaction_s_end_is_one(address: str) -> None:
    """At each line of it: SQLAlchemy asserts that it is at its end, whatever comes between."""
    begin(address)
    steps, before = 0, sys.gettrace()
    for lines in itertools.count(1):
        try:
            with opened(address) as store:
                at_line(lines, "engine/base.py:RootTransaction.", interrupt)
                try:
                    store.save(*step_of(steps))
                finally:
                    sys.settrace(before)
                break
        except KeyboardInterrupt:
            state = loaded(address)
            assert state in (state_after(steps), state_after(steps + 1))
            steps += state == state_after(steps + 1)
    assert lines > 20
