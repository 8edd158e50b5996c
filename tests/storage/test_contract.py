"""Optuna's contract for storages, held by every kind of storage."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from optuna.storages import BaseStorage
from optuna.testing.pytest_storages import StorageTestCase
from servers import Server
from sqlalchemy import text

from lenet_search.storage import open_storage
from lenet_search.storage.database import PatientDatabase


class TestBatchedJournal(StorageTestCase):
    """Optuna's own tests."""

    @pytest.fixture
    def storage(self, tmp_path: Path) -> BaseStorage:
        return open_storage(str(tmp_path / "study.journal"), create=True, batched=True)


class TestBatchedDatabase(StorageTestCase):
    """Optuna's own tests."""

    @pytest.fixture
    def storage(self, tmp_path: Path) -> BaseStorage:
        return open_storage(f"sqlite:///{tmp_path}/study.db", create=True, batched=True)


class OnServer(StorageTestCase):
    """Optuna's own tests, on an empty database of a server."""

    name: str
    batched = False
    prepared = ""  # SQL that an empty database needs
    urls: dict[str, str] = {}  # noqa: RUF012

    @pytest.fixture
    def storage(self, servers: Callable[[str], Server]) -> Iterator[BaseStorage]:
        server = servers(self.name)
        is_new = self.name not in self.urls
        if is_new or self.name == "redis":  # quick there; a journal remembers the trials of a study that was deleted
            self.urls[self.name] = server.new()
        storage = open_storage(self.urls[self.name], create=True, batched=self.batched)
        if is_new and self.prepared:
            assert isinstance(storage, PatientDatabase)
            with storage._backend.engine.begin() as connection:
                connection.execute(text(self.prepared))
        for study in storage.get_all_studies():
            storage.delete_study(study._study_id)
        yield storage
        if isinstance(storage, PatientDatabase):
            storage._backend.engine.dispose()


class TestPostgreSQL(OnServer):
    name = "postgresql"


class TestRedis(OnServer):
    name = "redis"


class TestBatchedPostgreSQL(TestPostgreSQL):
    batched = True


class TestBatchedMariaDB(OnServer):
    """Optuna's tables keep whole seconds here; its tests create trials a millisecond apart."""

    name, batched = "mariadb", True
    prepared = "ALTER TABLE trials MODIFY datetime_start DATETIME(6), MODIFY datetime_complete DATETIME(6)"
