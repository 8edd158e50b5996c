import pytest

from lenet_search.study import Confirming
from tests.study.conftest import DefinitionOf, ProblemsOf


def test_a_study_without_the_table_is_not_confirmed(definition_of: DefinitionOf) -> None:
    assert definition_of("").confirm is None


def test_what_the_table_leaves_out_has_its_default(definition_of: DefinitionOf) -> None:
    assert definition_of("[confirm]").confirm == Confirming()
    assert definition_of("[confirm]\nseeds = 4\nepochs = 9\nindifference = 0").confirm == Confirming(8, 4, 9, 0)


def test_a_confirmation_does_not_make_it_another_study(definition_of: DefinitionOf) -> None:
    assert definition_of("[confirm]\nseeds = 4").lines() == definition_of("").lines()


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("seeds = 1", "confirm.seeds: expected a whole number from 2 to 1024; received 1"),
        ("finalists = 0", "confirm.finalists: expected a whole number from 1 to 1024; received 0"),
        ("finalists = true", "confirm.finalists: expected a whole number from 1 to 1024; received true"),
        ("seeds = 100000", "confirm.seeds: expected a whole number from 2 to 1024; received 100000"),
        ("epochs = 1.5", "confirm.epochs: expected a whole number from 1; received 1.5"),
        ("indifference = nan", "confirm.indifference: expected a number from 0; received nan"),
        ("indifference = -0.1", "confirm.indifference: expected a number from 0; received -0.1"),
        ("share = 0", "confirm.share: expected a number from 0.01; received 0"),
        ("seed = 3", 'confirm.seed: expected one of finalists, seeds, epochs, indifference, share; received "seed"'),
    ],
)
def test_a_value_that_is_not_legal_is_reported_with_its_line(line: str, problem: str, problems_of: ProblemsOf) -> None:
    (found,) = problems_of(f"[confirm]\n{line}")
    assert ":2: " in found and problem in found
