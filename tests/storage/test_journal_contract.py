"""Optuna's contract for storages, held by the batched journal."""

from pathlib import Path

import pytest
from optuna.testing.pytest_storages import StorageTestCase

from lenet_search.storage.journal import BatchedJournal


class TestBatchedJournal(StorageTestCase):
    """Optuna's own tests."""

    @pytest.fixture
    def storage(self, tmp_path: Path) -> BatchedJournal:
        return BatchedJournal(str(tmp_path / "study.journal"))
