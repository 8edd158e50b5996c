import pytest
from measure.breakdown import AUGMENTATION, CONVOLUTIONS, EVALUATION, HOST, own_times, parts, short
from measure.cells import Cell, images, recipes_of


def test_time_within_another_operation_is_counted_once():
    events = [(0, -100, "loop"), (10, -20, "conv"), (15, -5, "copy"), (40, -30, "conv"), (200, -7, "loop")]
    assert own_times(events) == {"loop": 100 - 20 - 30 + 7, "conv": 20 - 5 + 30, "copy": 5}


def test_an_operation_s_name_is_shown_without_its_way_there():
    assert short("while/body/_1/gradient_tape/while/MaxPool2d/MaxPoolGrad:_MklNativeMaxPoolGrad") == (
        "gradient_tape/while/MaxPool2d/MaxPoolGrad:_MklNativeMaxPoolGrad"
    )
    assert short("KernelAndDeviceFunc::Run") is None


@pytest.mark.parametrize("augment", ["flip", "none"])
def test_an_epoch_is_taken_apart_without_a_rest(augment):
    recipes, structure = recipes_of(Cell(2, augment, "mixed"), batch=32)
    found = parts(recipes, structure, images(288), repeat=1)
    assert found[AUGMENTATION] > 0
    assert found[CONVOLUTIONS] > 0
    assert found[EVALUATION] > 0
    assert found[HOST] > 0
