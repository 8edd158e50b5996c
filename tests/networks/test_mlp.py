from counts import counts

from lenet_search.recipe.model import Model


def test_it_has_49240_parameters_layer_by_layer() -> None:
    found = counts(Model("mlp"), (28, 28, 1))
    assert found == {"dense1": 47100, "dense2": 1830, "logits": 310}
    assert sum(found.values()) == 49_240
