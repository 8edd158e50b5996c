"""A journal in Redis, under the keys of Optuna's `JournalRedisBackend`; tried again while the server does not answer.

Unlike Optuna's, it writes all entries of a call at once, and not twice if the answer to the first time is lost. It
notices a server that has forgotten entries, and reads no snapshots, since these are pickles.
"""

import json
import uuid
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Self, TypeVar
from urllib.parse import parse_qs, urlsplit

import redis
from optuna.storages.journal import BaseJournalBackend
from redis.backoff import NoBackoff
from redis.retry import Retry

from lenet_search.errors import StorageError
from lenet_search.storage.address import shown, without_password
from lenet_search.storage.journal_entry import Check
from lenet_search.storage.patience import OPENING, Patience, Wait, in_words

T = TypeVar("T")

NUMBER, ENTRY = ":log_number", ":log:%d"
CHUNK = 500  # entries read at once
TELL_AFTER = 0.5  # seconds, as in `storage.database`
OPTIONS = {"socket_timeout": 10, "socket_connect_timeout": 5}  # seconds
# ARGV: a name for this call, the number of entries read so far, the entries. A repeated call changes nothing.
APPEND = """
redis.call('setnx', ':log_number', -1)
if tonumber(redis.call('get', ':log_number')) + 1 < tonumber(ARGV[2]) then return 0 end
if not redis.call('set', ':written:' .. ARGV[1], 1, 'NX', 'EX', 3600) then return 1 end
for i = 3, #ARGV do
    redis.call('set', string.format(':log:%d', redis.call('incr', ':log_number')), ARGV[i])
end
return 1
"""
TEMPORARY = ("MISCONF", "LOADING", "OOM", "READONLY", "CLUSTERDOWN", "MASTERDOWN")  # answers of a server in trouble


class RedisJournal(BaseJournalBackend):
    """The journal of one storage.

    Args:
        url: of the server, as in `redis.Redis.from_url`
        patience: how long to wait for it
    """

    def __init__(self, url: str, patience: Patience) -> None:
        self._url = url
        self._patience = patience
        self._read = 0  # entries
        self._opened = False
        self._check = Check(shown(url))
        options = {name: value for name, value in OPTIONS.items() if name not in parse_qs(urlsplit(url).query)}
        self._client = redis.Redis.from_url(url, retry=Retry(NoBackoff(), 0), **options)

    def __reduce__(self) -> tuple[type[Self], tuple[str, Patience]]:
        """A copy has its own connections, and reads the journal from its beginning."""
        return type(self), (self._url, self._patience)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append entries, all or none.

        Raises:
            StorageError: the server does not answer, or has lost entries that were read.
        """
        texts, name = [json.dumps(log) for log in logs], uuid.uuid4().hex
        if not self._patiently(partial(self._client.eval, APPEND, 0, name, str(self._read), *texts)):
            raise self._has_lost()

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        """All entries but the first `log_number_from`.

        Raises:
            StorageError: the server does not answer, has lost entries that were read, or holds what is no entry.
        """
        last: Any = self._patiently(partial(self._client.get, NUMBER))
        end = 0 if last is None else int(last) + 1
        if end < log_number_from:
            raise self._has_lost()
        self._read = max(self._read, end)
        for start in range(log_number_from, end, CHUNK):
            keys = [ENTRY % number for number in range(start, min(end, start + CHUNK))]
            for number, text in enumerate(self._patiently(partial(self._all, keys)), start=start + 1):
                entry = json.loads(text)
                self._check(number, entry)
                yield entry

    def _all(self, keys: list[str]) -> list[Any]:
        texts = self._client.mget(keys)
        if None in texts:  # Optuna's writer, in a cluster, counts an entry before it writes it
            raise redis.exceptions.ConnectionError(f"entry {keys[texts.index(None)]} is missing")
        return texts

    def _patiently(self, operation: Callable[[], T]) -> T:
        wait = self._patience.begin(TELL_AFTER, None if self._opened else OPENING)
        while True:
            try:
                result = operation()
            except redis.exceptions.RedisError as error:
                if not _is_temporary(error):
                    raise
                self._pause(wait, error)
            else:
                self._opened = True
                wait.over(f"{shown(self._url)} answers again")
                return result

    def _pause(self, wait: Wait, error: Exception) -> None:
        what = f"the storage {shown(self._url)} does not answer ({without_password(str(error), self._url)})"
        wait.pause(f"{what}; trying again for {in_words(wait.limit)}", what)

    def _has_lost(self) -> StorageError:
        return StorageError(
            f"{shown(self._url)} has lost entries that it had accepted: the server was restarted without keeping "
            "everything on its disk; set appendonly to yes, and appendfsync to always"
        )


def _is_temporary(error: Exception) -> bool:
    if isinstance(error, redis.exceptions.AuthenticationError):
        return False
    kinds = (redis.exceptions.ConnectionError, redis.exceptions.TimeoutError)
    return isinstance(error, kinds) or str(error).startswith(TEMPORARY)
