import pytest

from lenet_search.study import METRICS, duration
from lenet_search.study.settings import KEYS
from tests.study.conftest import DefinitionOf, ProblemsOf


@pytest.mark.parametrize(
    ("given", "seconds"),
    [("90s", 90), ("30m", 1800), ("2h", 7200), ("1h30m", 5400), ("1h 30m 5s", 5405), ("45", 45), (45, 45), (0.5, 0.5)],
)
def test_a_duration_is_read_in_hours_minutes_and_seconds(given: str | float, seconds: float) -> None:
    assert duration(given) == seconds


@pytest.mark.parametrize("given", ["", "30 minutes", "m", "1m1h", "-5", "0s", 0, -1, float("inf"), float("nan"), True])
def test_what_is_no_duration_is_refused_with_what_is(given: str | float) -> None:
    with pytest.raises(ValueError, match="30m"):
        duration(given)


@pytest.mark.parametrize(("metric", "direction"), METRICS.items())
def test_the_direction_follows_from_the_metric(metric: str, direction: str, definition_of: DefinitionOf) -> None:
    assert definition_of(f"[study]\nmetric = '{metric}'").direction == direction
    assert definition_of(f"[study]\nmetric = '{metric}'\ndirection = '{direction}'").direction == direction


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "budget = 3",
            f"study.budget: expected one of {', '.join(KEYS)}",
        ),
        (
            "trails = 3",
            f'study.trails: expected one of {", ".join(KEYS)}; received "trails"; did you mean trials?',
        ),
        (
            "metric = 'val_acuracy'",
            "expected one of val_accuracy, val_loss, val_balanced_accuracy; "
            'received "val_acuracy"; did you mean "val_accuracy"?',
        ),
        ("metric = ['val_loss']", "study.metric: expected one of val_accuracy, val_loss, val_balanced_accuracy"),
        (
            "direction = 'minimize'",
            'study.direction: expected "maximize" for val_accuracy, or no value; received "minimize"',
        ),
        ("metric = 'x'\ndirection = 'up'", 'study.direction: expected "maximize" or "minimize"; received "up"'),
        ("trials = 0", "study.trials: expected a whole number from 1; received 0"),
        ("trials = 1.5", "study.trials: expected a whole number from 1; received 1.5"),
        ("trials = true", "study.trials: expected a whole number from 1; received true"),
        ("seed = -1", "study.seed: expected a whole number from 0 to 4294967295; received -1"),
        ("seed = 4294967296", "study.seed: expected a whole number from 0 to 4294967295"),
        ("timeout = '30 minutes'", 'study.timeout: expected a duration like "30m"'),
        ("timeout = [30]", 'study.timeout: expected a duration like "30m"'),
    ],
)
def test_a_mistake_in_the_study_table_is_reported(line: str, problem: str, problems_of: ProblemsOf) -> None:
    found = problems_of(f"[study]\n{line}")
    assert any(problem in one for one in found), found


def test_a_study_that_is_no_table_is_reported(problems_of: ProblemsOf) -> None:
    assert problems_of("study = 1") == ["mine.toml:1: study: expected a table, [study]; received 1"]


@pytest.mark.parametrize("given", ["9" * 400 + "h", "9" * 5000, 10**400])
def test_a_duration_beyond_all_numbers_is_none(given: str | int) -> None:
    with pytest.raises(ValueError, match="expected a duration"):
        duration(given)
