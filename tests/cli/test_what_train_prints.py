import pytest

from lenet_search.cli.terminal import console
from lenet_search.cli.train import _conclude
from lenet_search.experiments.train import Training
from tests.experiments.made import result


@pytest.mark.parametrize(
    ("rights", "accuracy", "loss"),
    [
        (
            (900, 920, 910),
            "val_accuracy 91.00 % (88.52 to 93.48), mean of 3 seeds, 95 % interval",
            "val_loss 0.9100 (0.8852 to 0.9348), mean of 3 seeds, 95 % interval",
        ),
        (
            (900,),
            "val_accuracy 90.00 % (85.06 to 93.43), mean of 1 seed, 95 % interval over the images",
            "val_loss 0.9000, mean of 1 seed",
        ),
    ],
)
def test_train_says_what_an_interval_is_taken_over(rights, accuracy, loss, capsys):
    _conclude(Training(result("mine", rights), 1.0), console())
    assert capsys.readouterr().out.splitlines()[:2] == [accuracy, loss]
