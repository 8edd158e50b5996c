import pytest

from lenet_search.search.exhaustion import total_of
from lenet_search.study import read

CHOICES = "regularize.dropout={ choices = [0.0, 0.1, 0.2] }"


@pytest.mark.parametrize(
    ("overrides", "total", "reason"),
    [
        ([], 1, "because every value is fixed"),
        (["study.repeat=true"], 100, "with different seeds"),
        ([CHOICES], 100, ""),  # samplers that draw may draw a combination twice, with another seed
        ([CHOICES, "study.sampler={ kind = 'BruteForceSampler' }"], 3, "combinations for BruteForceSampler"),
        (
            [CHOICES, "study.sampler={ kind = 'GridSampler', search_space = { 'regularize.dropout' = [0.0, 0.2] } }"],
            2,
            "the number of combinations for GridSampler",
        ),
        (
            [
                CHOICES,
                "study.reference=true",
                "study.sampler={ kind = 'GridSampler', search_space = { 'regularize.dropout' = [0.1, 0.2] } }",
            ],
            3,
            "the number of combinations for GridSampler, and 1 to begin with",
        ),
        ([CHOICES, "study.sampler={ kind = 'BruteForceSampler' }", "study.trials=2"], 2, ""),
    ],
)
def test_a_finite_space_is_not_searched_twice(tmp_path, overrides, total, reason):
    path = tmp_path / "mine.toml"
    path.write_text("[data]\nname = 'digits'\n")
    definition = read(path, overrides=overrides)
    found = total_of(definition, definition.trials)
    assert found.trials == total
    assert (reason in found.reason) and bool(reason) == bool(found.reason)
