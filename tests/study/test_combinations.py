"""Values that are legal by themselves, and not together."""

from pathlib import Path

import pytest

from lenet_search.errors import StudyFileError
from lenet_search.networks import NETWORKS
from lenet_search.study import read


def problems(tmp_path: Path, text: str) -> tuple[str, ...]:
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    try:
        read(path)
    except StudyFileError as error:
        return error.problems
    return ()


@pytest.mark.parametrize("network", [name for name, each in NETWORKS.items() if "model.pooling" in each.without_effect])
def test_a_value_that_the_network_would_not_look_at_is_an_error_with_its_line(network: str, tmp_path: Path) -> None:
    found = problems(tmp_path, f'[model]\nnetwork = "{network}"\npooling = "max"\n')
    assert len(found) == 1
    assert "mine.toml:3: model.pooling: expected the default, since it has no effect on " + network in found[0]
    assert found[0].endswith('received "max"')


def test_a_search_over_a_value_without_effect_is_an_error(tmp_path: Path) -> None:
    found = problems(tmp_path, '[model]\nnetwork = "lenet5_1998"\nwidth = { low = 0.5, high = 2.0 }\n')
    assert len(found) == 1
    assert "received { low = 0.5, high = 2.0 }" in found[0]


def test_a_value_that_one_of_the_networks_looks_at_is_none(tmp_path: Path) -> None:
    both = 'network = { choices = ["mlp", "lenet5"] }'
    assert not problems(tmp_path, f'[model]\n{both}\npooling = "max"\n')


def test_a_default_may_stand_there_as_in_a_recipe_that_was_written(tmp_path: Path) -> None:
    assert not problems(tmp_path, '[model]\nnetwork = "lenet5_1998"\npooling = "average"\n')


def test_equation_8_is_for_radial_basis_outputs(tmp_path: Path) -> None:
    assert not problems(tmp_path, '[model]\nnetwork = "lenet5_1998"\n[loss]\nkind = "mse"\n')
    assert not problems(tmp_path, '[loss]\nkind = "map"\n')
    found = problems(tmp_path, '[loss]\nkind = { choices = ["map", "mse"] }\n')
    assert len(found) == 1
    assert 'mine.toml:2: loss.kind: expected "cross_entropy" or "map" for lenet5' in found[0]


SDLM = '[optimizer]\nkind = "sdlm"\n'


@pytest.mark.parametrize("network", NETWORKS)
def test_sdlm_is_for_every_network_whose_curvature_it_can_measure(network: str, tmp_path: Path) -> None:
    found = problems(tmp_path, f'{SDLM}[model]\nnetwork = "{network}"\n')
    assert bool(found) == (not NETWORKS[network].curvature)


def test_exact_curvature_is_refused_where_it_would_take_hours(tmp_path: Path) -> None:
    assert not problems(tmp_path, f"{SDLM}sdlm.exact = true\n")
    found = problems(tmp_path, f'{SDLM}sdlm.exact = true\n[model]\nnetwork = "all_cnn"\n')
    assert len(found) == 1
    assert "mine.toml:3: optimizer.sdlm.exact: expected false for all_cnn" in found[0]


def test_sdlm_and_batch_normalization_exclude_each_other(tmp_path: Path) -> None:
    found = problems(tmp_path, f"{SDLM}[model]\nbatch_norm = {{ choices = [true, false] }}\n")
    assert len(found) == 1
    assert "mine.toml:4: model.batch_norm: expected false with sdlm" in found[0]


def test_a_piecewise_schedule_has_as_many_factors_as_epochs_and_its_epochs_rise(tmp_path: Path) -> None:
    def schedule(epochs: str, factors: str) -> tuple[str, ...]:
        lines = f"piecewise.epochs = {epochs}\npiecewise.factors = {factors}\n"
        return problems(tmp_path, f'[schedule]\nkind = "piecewise"\n{lines}')

    assert not schedule("[2, 5, 8, 12]", "[0.4, 0.2, 0.1, 0.02]")
    assert (
        "mine.toml:4: schedule.piecewise.factors: expected as many factors as epochs, 2" in schedule("[1, 2]", "[1]")[0]
    )
    assert "mine.toml:3: schedule.piecewise.epochs: expected increasing epochs" in schedule("[2, 1]", "[1, 1]")[0]


def test_a_list_is_not_searched(tmp_path: Path) -> None:
    found = problems(tmp_path, '[schedule]\nkind = "piecewise"\npiecewise.epochs = { choices = [[1], [2]] }\n')
    assert "a list cannot be searched" in found[0]
    found = problems(tmp_path, '[schedule]\nkind = "piecewise"\npiecewise.epochs = [1, 2.5]\n')
    assert "expected a list; each item a whole number from 1; received [1, 2.5]" in found[0]
