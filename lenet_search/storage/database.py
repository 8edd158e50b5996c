"""Databases: SQLite, PostgreSQL, MySQL and MariaDB through SQLAlchemy, tried again while they do not answer.

A commit whose answer is lost may have succeeded. So every operation can be repeated without doing it twice.
"""

import functools
import uuid
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from optuna.exceptions import DuplicatedStudyError, UpdateFinishedTrialError
from optuna.storages import RDBStorage, _CachedStorage
from optuna.storages._base import DEFAULT_STUDY_NAME_PREFIX
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError, TimeoutError

from lenet_search.storage.address import shown, without_password
from lenet_search.storage.patience import OPENING, Patience, Wait, in_words

T = TypeVar("T")

# How SQLite, PostgreSQL and MySQL say that another run has just made the same table or row.
SAME_MOMENT = ("already exists", "unique constraint failed", "duplicate key", "duplicate entry")
# What waiting does not change: names, rights, and files that cannot be used.
PERMANENT = (
    "authentication failed", "access denied", "does not exist", "unknown database", "could not translate host",
    "name or service not known", "getaddrinfo failed", "nodename nor servname", "no pg_hba.conf entry", "no password",
    "permission denied", "readonly database", "unable to open database", "is not a database", "no such", "invalid",
)  # fmt: skip
TELL_AFTER = 0.5  # seconds: that a connection was lost is not worth a word if there is another at once
# A host that is gone must not hold the process for minutes. Options of the drivers, unless the URL has them.
POSTGRESQL = {
    "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}  # fmt: skip
MYSQL = {"connect_timeout": 5, "read_timeout": 30, "write_timeout": 30}
SQLITE = {"timeout": 1}  # seconds in which no signal is noticed; `Patience` goes on
OPTIONS = {
    "psycopg2": POSTGRESQL, "psycopg": POSTGRESQL, "pymysql": MYSQL, "mysqldb": MYSQL, "pysqlite": SQLITE,
}  # fmt: skip


class Unreachable(Exception):
    """An operation was not carried out, or nobody knows; to try it again may help."""


def open_database(url: str, patience: Patience, kind: "type[PatientDatabase] | None" = None) -> "PatientDatabase":
    """Open a database by its URL.

    Args:
        url: the database
        patience: how long to wait for it
        kind: of storage; a `PatientDatabase` if none is given

    Raises:
        StorageError: it does not answer for 20 seconds, or, if it is a locked SQLite file, for two minutes.
        Exception: SQLAlchemy's and the driver's, if waiting would not help.
    """
    kind = kind or PatientDatabase
    address = make_url(url)
    given = OPTIONS.get(address.get_dialect().driver, {})
    options = {name: value for name, value in given.items() if name not in address.query}
    wait = patience.begin(TELL_AFTER, limit=None if address.get_backend_name() == "sqlite" else OPENING)
    while True:
        try:
            opened = kind.backend(url, engine_kwargs={"connect_args": options, "pool_pre_ping": False})
        except Exception as error:
            said = str(error).lower()
            if not is_temporary(error) and not any(words in said for words in SAME_MOMENT):
                raise
            _pause(wait, url, error)
        else:
            wait.over(f"{shown(url)} answers")
            return kind(opened, url, patience)


def is_temporary(error: BaseException | None) -> bool:
    """Whether an error of SQLAlchemy, or the cause of one of Optuna's, may go away by itself."""
    if error is not None and not isinstance(error, SQLAlchemyError):
        return is_temporary(error.__cause__)
    if not isinstance(error, DBAPIError):
        return isinstance(error, TimeoutError)  # no connection of the pool is free
    said = str(error.orig).lower()  # the error itself would quote the statement and its values
    if any(words in said for words in PERMANENT):
        return False
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)


class PatientDatabase(_CachedStorage):
    """A database that is waited for if it does not answer.

    Every method of a storage raises `StorageError` if it has not answered for `patience.limit` seconds.
    """

    backend: type[RDBStorage] = RDBStorage

    def __init__(self, backend: RDBStorage, url: str, patience: Patience) -> None:
        super().__init__(backend)
        self._url = url
        self._patience = patience
        event.listen(backend.engine, "handle_error", _mark)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy has its own connections."""
        super().__setstate__(state)
        event.listen(self._backend.engine, "handle_error", _mark)

    def patiently(self, operation: Callable[[bool], T]) -> T:
        """Carry out an operation, which is told whether it may have been carried out before."""
        wait, again = self._patience.begin(TELL_AFTER), False
        while True:
            try:
                result = operation(again)
            except Unreachable as error:
                again = True
                _pause(wait, self._url, error)
            else:
                wait.over(f"{shown(self._url)} answers again")
                return result

    def create_new_study(self, directions: Sequence[StudyDirection], study_name: str | None = None) -> int:
        """As in Optuna."""
        name = f"{DEFAULT_STUDY_NAME_PREFIX}{uuid.uuid4()}" if study_name is None else study_name

        def create(again: bool) -> int:
            try:
                return super(PatientDatabase, self).create_new_study(directions, name)
            except DuplicatedStudyError:
                study_id = self._backend.get_study_id_from_name(name)
                touched = self._backend.get_study_system_attrs(study_id) or self._backend.get_study_user_attrs(study_id)
                if again and not touched and not self.get_all_trials(study_id):  # it is the one that was just created
                    return study_id
                raise

        return self.patiently(create)

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        """As in Optuna."""
        template = template_trial or create_trial(state=TrialState.RUNNING)

        def create(again: bool) -> int:
            if again:
                for trial in reversed(self.get_all_trials(study_id, deepcopy=False)):
                    if _is_made_from(trial, template):
                        return trial._trial_id
            return super(PatientDatabase, self).create_new_trial(study_id, template)

        return self.patiently(create)

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """As in Optuna."""

        def change(again: bool) -> bool:
            try:
                return super(PatientDatabase, self).set_trial_state_values(trial_id, state, values)
            except UpdateFinishedTrialError:
                trial = self._backend.get_trial(trial_id)
                wanted = None if values is None else list(values)
                if again and trial.state == state and trial.values == wanted:  # this very call has told it
                    return True
                raise

        return self.patiently(change)


def _is_made_from(trial: FrozenTrial, template: FrozenTrial) -> bool:
    """Whether a trial was created from this very template: nothing has happened to it, and it has the same start.

    Of those that a study asks for, the attributes name the process. MySQL keeps whole seconds.
    """
    if trial.datetime_start is None or template.datetime_start is None:
        return False
    apart = abs((trial.datetime_start - template.datetime_start).total_seconds())
    same = ("state", "params", "user_attrs", "system_attrs", "intermediate_values")
    return apart < 1 and all(getattr(trial, name) == getattr(template, name) for name in same)


def _patient(method: Callable[..., T]) -> Callable[..., T]:
    @functools.wraps(method)
    def patient(self: PatientDatabase, *arguments: Any, **named: Any) -> T:
        return self.patiently(lambda again: method(self, *arguments, **named))

    return patient


# What reads, or stores what can be stored again: a parameter's row is unique, everything else is replaced.
for _name in (
    "delete_study", "set_study_user_attr", "set_study_system_attr", "get_study_id_from_name", "get_study_name_from_id",
    "get_study_directions", "get_study_user_attrs", "get_study_system_attrs", "get_all_studies", "set_trial_param",
    "get_trial_id_from_study_id_trial_number", "get_best_trial", "set_trial_intermediate_value", "set_trial_user_attr",
    "set_trial_system_attr", "get_trial", "get_all_trials",
):  # fmt: skip
    setattr(PatientDatabase, _name, _patient(getattr(_CachedStorage, _name)))


def _mark(context: ExceptionContext) -> None:
    """Raise `Unreachable` in place of a driver's error. Optuna would try some again by itself, and do them twice."""
    if is_temporary(context.sqlalchemy_exception):
        raise Unreachable(str(context.original_exception))


def _pause(wait: Wait, url: str, error: Exception) -> None:
    first = without_password((str(error.__cause__ or error).strip().splitlines() or [type(error).__name__])[0], url)
    fails = "failed" if url.startswith("sqlite") else "does not answer"
    what = "is locked by another process" if "locked" in first else f"{fails} ({first})"
    wait.pause(
        f"the storage {shown(url)} {what}; trying again for {in_words(wait.limit)}",
        f"the storage {shown(url)} {what}",
    )
