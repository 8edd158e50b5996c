import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"


def engine(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(FOLDER / "engine.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_tiny_table_holds_every_cell_with_its_share_of_the_limit(tmp_path):
    picture = tmp_path / "speed.html"
    tiny = ["--workers", "1", "--images", "128", "--batch", "32", "--epochs", "1", "--sizes", "1", "2"]
    cells = ["--augment", "none", "--optimizers", "one", "--precision", "float32"]
    done = engine("--quick", *tiny, *cells, "--json", "--plot", str(picture))
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert [cell["slots"] for cell in result["cells"]] == [1, 2]
    for cell in result["cells"]:
        assert len(cell["each"]) == result["settings"]["repeat"] == 2
        assert cell["images_per_second"] == statistics.median(cell["each"])
        assert cell["share"] == pytest.approx(cell["images_per_second"] / cell["limit"])
    assert result["machine"]["versions"]["keras"]
    assert result["memory"]["state_bytes"] == 2 * 4 * 62_006
    assert "trial-images/s" in done.stderr
    assert "Throughput by stack size" in picture.read_text(encoding="utf-8")


def test_a_stack_is_compared_with_keras_s_own_fit():
    tiny = ["--workers", "1", "--images", "128", "--batch", "32", "--sizes", "2", "--repeat", "1"]
    done = engine("--quick", "--against-keras", *tiny, "--augment", "none", "--precision", "float32", "--json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert (row["augment"], row["slots"]) == ("none", 2)
    assert row["ratio"] == statistics.median(row["each"]) > 0
    assert row["fit"] > 0 < row["stack"]


@pytest.mark.parametrize(
    "options", [("--repeat", "0"), ("--sizes", "0"), ("--augment", "blur"), ("--breakdown", "--plot", "x.html")]
)
def test_an_option_that_makes_no_sense_is_named(options):
    done = engine(*options)
    assert done.returncode == 2
    assert options[0] in done.stderr
