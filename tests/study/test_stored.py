import pytest

from lenet_search.recipe import Recipe
from lenet_search.study import read, shipped
from lenet_search.study.stored import stored_reference, stored_space
from tests.study.conftest import DefinitionOf


@pytest.mark.parametrize("name", sorted({**shipped(), **shipped("recipes")}))
def test_the_space_of_a_stored_definition_is_that_of_its_file(name: str) -> None:
    definition = read(name)
    assert stored_space(definition.lines()).entries == definition.space.entries


def test_a_hyperparameter_that_is_newer_than_the_stored_definition_has_its_default(definition_of: DefinitionOf) -> None:
    definition = definition_of(
        "[optimizer]\nkind = 'adam'\nadam.learning_rate = { low = 1e-4, high = 1e-2, log = true }"
    )
    lines = {path: text for path, text in definition.lines().items() if path != "loss.kind"}
    assert stored_space(lines).entries == definition.space.entries


def test_the_reference_is_the_first_start(definition_of: DefinitionOf) -> None:
    text = (
        "[train]\nepochs = 3\n[regularize]\ndropout = { low = 0.1, high = 0.5 }\n[[start]]\nregularize.dropout = 0.25"
    )
    assert stored_reference(definition_of(text).lines()).regularize.dropout == 0.25


def test_without_a_start_the_reference_has_the_defaults_or_the_nearest_value(definition_of: DefinitionOf) -> None:
    text = (
        "[regularize]\ndropout = { low = 0.1, high = 0.5 }\n"
        "[model]\nactivation = { choices = ['tanh', 'elu'] }\nbatch_norm = { choices = [true, false] }\n"
        "[train]\nbatch_size = { low = 10, high = 50, step = 20 }\n"
    )
    recipe = stored_reference(definition_of(text).lines())
    default = Recipe()
    assert recipe.regularize.dropout == 0.1
    assert recipe.model.activation == ("tanh" if default.model.activation != "elu" else "elu")
    assert recipe.model.batch_norm is default.model.batch_norm
    assert recipe.train.batch_size == 50
