"""Rows of Optuna's tables, many in one statement: the states of trials, and what is noted of them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from optuna.storages._rdb import models
from optuna.trial import TrialState
from sqlalchemy import ColumnElement
from sqlalchemy.dialects import mysql, postgresql, sqlite
from sqlalchemy.orm import Session

# By SQLAlchemy's name of the database: a statement that inserts rows, or updates those that are there.
INSERTS: dict[str, Callable[[Any], Any]] = {
    "mariadb": mysql.insert, "mysql": mysql.insert, "postgresql": postgresql.insert, "sqlite": sqlite.insert,
}  # fmt: skip
# Of each table, the column that is unique in a trial, and those that another note replaces. A parameter stays as it was
# first drawn: to write its trial again changes nothing.
TABLES: dict[type[Any], tuple[str, tuple[str, ...]]] = {
    models.TrialParamModel: ("param_name", ("trial_id",)),
    models.TrialIntermediateValueModel: ("step", ("intermediate_value", "intermediate_value_type")),
    models.TrialUserAttributeModel: ("key", ("value_json",)),
    models.TrialSystemAttributeModel: ("key", ("value_json",)),
}
MOST = 200  # rows of a statement: older versions of SQLite take 999 values


class Row(NamedTuple):
    """What the table of trials has of a trial; times are local, as in Optuna's trials."""

    trial_id: int
    state: TrialState
    start: datetime | None
    complete: datetime | None


def read(session: Session, *conditions: ColumnElement[bool], lock: bool = False) -> list[Row]:
    """The rows of trials, ordered by id.

    Args:
        session: in which they are read
        conditions: that all must hold
        lock: whether nobody else can change them before the session's transaction has ended
    """
    query: Any = session.query(models.TrialModel).filter(*conditions).order_by(models.TrialModel.trial_id)
    rows = query.with_for_update() if lock else query  # all lock in this order: no deadlocks
    return [Row(row.trial_id, row.state, row.datetime_start, row.datetime_complete) for row in rows]


def write(session: Session, database: str, table: type[Any], rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows, or update those that are there.

    Args:
        session: in which they are written
        database: SQLAlchemy's name of it
        table: one of `TABLES`
        rows: their columns; no two of the same trial have the same unique column
    """
    unique, replaced = TABLES[table]
    for start in range(0, len(rows), MOST):
        statement = INSERTS[database](table).values(rows[start : start + MOST])
        if hasattr(statement, "on_duplicate_key_update"):
            statement = statement.on_duplicate_key_update({name: statement.inserted[name] for name in replaced})
        else:
            statement = statement.on_conflict_do_update(
                index_elements=["trial_id", unique], set_={name: statement.excluded[name] for name in replaced}
            )
        session.execute(statement)
