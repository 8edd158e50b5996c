"""What storages that write in batches share, and a journal on a server in batches."""

from collections.abc import Callable
from typing import Any

import optuna
import pytest
from servers import Server

from lenet_search.storage import batched, open_storage
from lenet_search.storage.batched import Looks


def test_a_server_is_looked_at_for_a_fifth_of_the_time_at_most_and_at_least_every_quarter_of_a_second(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(batched.time, "monotonic", lambda: now[0])
    looks = Looks(batched.SELDOM)
    due = []
    for took in (0.001, 0.4):
        assert looks.are_due()
        began = now[0]
        now[0] += took
        looks.looked(began)
        while not looks.are_due():
            now[0] += 0.01
        due.append(now[0] - began - took)
    assert due == pytest.approx([0.25, 2.0], abs=0.02)
    file = Looks(0.0)
    file.looked(now[0])
    assert file.are_due()


def test_reports_to_redis_cost_no_call_until_a_flush_which_is_one(servers: Callable[[str], Server], monkeypatch):
    import redis

    storage: Any = open_storage(servers("redis").new(), create=True, batched=True)
    study = optuna.create_study(study_name="s", storage=storage, pruner=optuna.pruners.NopPruner())
    trials = [study.ask() for _ in range(16)]
    calls: list[Any] = []
    execute = redis.Redis.execute_command

    def listed(self: Any, *arguments: Any, **named: Any) -> Any:
        calls.append(arguments[0])
        return execute(self, *arguments, **named)

    monkeypatch.setattr(redis.Redis, "execute_command", listed)
    for trial in trials:
        trial.report(0.5, 1)
        trial.set_user_attr("note", "a")
    assert calls == []
    storage.flush()
    assert calls == ["EVAL"]
    assert all(trial.intermediate_values == {1: 0.5} for trial in study.trials)
    storage._behind._client.close()
