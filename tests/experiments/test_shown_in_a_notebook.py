"""What a notebook shows of a result is one short line."""

from pathlib import Path

from lenet_search.experiments.compare import compare
from lenet_search.experiments.train import Training
from tests.experiments.made import result
from tests.experiments.test_ablate import made
from tests.experiments.test_confirm import race


def test_results_are_shown_in_one_line(tmp_path: Path) -> None:
    one, other = result("a", (900, 920, 910)), result("b", (800, 790, 795))
    confirmation = race(tmp_path / "race", trial_0=0.90, trial_1=0.95)
    shown = [repr(each) for each in (
        one, compare("c", [one, other], "val_accuracy"), Training(one, 1.0), confirmation, made(tmp_path / "ablation"),
    )]  # fmt: skip
    assert shown[0] == "<Result 'a': val_accuracy 91.00 % (88.52 to 93.48), n = 3>"
    assert shown[3].startswith("<Confirmation of 'mine': trial_1 wins: val_accuracy 9")
    assert all(len(each) < 200 and "\n" not in each for each in shown)
