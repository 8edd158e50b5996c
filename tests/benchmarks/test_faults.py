import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faulting.processes import environment, running

from lenet_search.crew.process import START

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="processes are found in Linux's /proc")


@contextmanager
def process(*words: str, **environment: str) -> Iterator[int]:
    waiting = "import sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", waiting, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as started:
        assert started.stdin is not None and started.stdout is not None
        started.stdout.readline()
        yield started.pid
        started.stdin.close()


def test_a_worker_is_found_by_the_mark_of_its_search_whoever_started_it(tmp_path):
    with process(START, **environment(tmp_path)) as worker, process(START, **os.environ), process():
        assert running(tmp_path) == {"parent": [], "actor": [], "worker": [worker]}
    assert not any(running(tmp_path).values())
