import json
import os
import subprocess
import sys
from pathlib import Path

import memory
import pytest

SCRIPT = Path(memory.__file__)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from Linux's /proc")
def test_a_search_s_largest_worker_is_followed_to_its_end():
    done = subprocess.run(
        [sys.executable, str(SCRIPT), "--quick", "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    ((course,),) = json.loads(done.stdout).values()
    assert course["structures"] == 4  # the sampler's seed is fixed, and 640 are possible
    assert course["trials_per_hour"] > 0
    assert course["highest_after"] > 300  # a worker with TensorFlow, not its parent
    assert course["ratio"] == pytest.approx(course["highest_after"] / course["at_mark"])


def test_only_workers_are_counted_and_only_while_they_live():
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as other:
        assert other.pid not in memory.workers_of(os.getpid())
    assert memory.resident(os.getpid()) > 10
    assert memory.resident(other.pid) == 0


def test_a_folder_without_the_package_is_named(tmp_path):
    command = [sys.executable, str(SCRIPT), "--against", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr
