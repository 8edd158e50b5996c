"""What a person sees of a run in the tables of a dashboard."""

import json
import math

import pytest

from lenet_search.recipe import Recipe
from lenet_search.run import Curve, Run
from lenet_search.storage.described import described


def trained(values: list[float], **more: object) -> Run:
    images = {"validation": 5000}
    return Run(Recipe(), 7, images, [(0, len(values))], Curve.constant(values), device="CPU", seconds=12.34, **more)


def test_a_run_is_described_by_short_words_and_numbers():
    told = described([trained([0.5, 0.6])], "val_accuracy")
    assert told == {
        "95 % interval": "58.63 to 61.35 %",
        "val_loss": 0.6,
        "train_accuracy": 0.6,
        "train_loss": 0.6,
        "epochs": 2,
        "seconds": 12.3,
        "device": "CPU",
    }


@pytest.mark.parametrize("metric", ["val_loss", "val_balanced_accuracy"])
def test_the_accuracy_is_told_beside_another_metric_which_has_no_interval(metric):
    told = described([trained([0.6])], metric)
    assert told["val_accuracy"] == 0.6
    assert metric not in told and "95 % interval" not in told


def test_what_is_not_finite_is_left_out():
    told = described([trained([math.nan], diverged=True)], "val_accuracy")
    assert told == {"epochs": 1, "seconds": 12.3, "device": "CPU"}
    json.dumps(told, allow_nan=False)


def test_a_run_without_an_epoch_has_nothing_to_describe():
    assert described([trained([])], "val_accuracy") == {}


def test_several_seeds_are_described_by_their_means_and_the_interval_of_the_mean():
    told = described([trained([0.5]), trained([0.6])], "val_loss")
    assert told["95 % interval"] == "0.0000 to 1.1853"
    assert told["train_accuracy"] == 0.55
    assert (told["seeds"], told["seconds"]) == (2, 24.7)
    assert told["standard deviation"] == pytest.approx(0.1 / math.sqrt(2), abs=1e-6)
