import inspect

import optuna
import pytest

from lenet_search.study import Component
from lenet_search.study.component import NEEDS
from tests.study.conftest import DefinitionOf, ProblemsOf


def test_a_sampler_gets_the_seed_and_its_arguments(definition_of: DefinitionOf) -> None:
    study = definition_of("[study]\nsampler = { kind = 'TPESampler', n_startup_trials = 3 }")
    sampler = study.sampler.build(seed=5)
    again = study.sampler.build(seed=5)
    assert isinstance(sampler, optuna.samplers.TPESampler)
    first, second = (optuna.create_study(sampler=one).ask().suggest_float("x", 0, 1) for one in (sampler, again))
    assert first == second


def test_a_seed_among_the_arguments_comes_before_the_study_s() -> None:
    drawn = {
        optuna.create_study(sampler=Component("RandomSampler", {"seed": 1}).build(seed)).ask().suggest_float("x", 0, 1)
        for seed in (0, 7)
    }
    assert len(drawn) == 1


def test_a_pruner_is_built_with_its_arguments() -> None:
    pruner = Component("ThresholdPruner", {"lower": 0.2}).build(seed=0)
    assert isinstance(pruner, optuna.pruners.ThresholdPruner)


def test_a_pruner_can_wrap_another(definition_of: DefinitionOf) -> None:
    study = definition_of(
        "[study.pruner]\nkind = 'PatientPruner'\npatience = 2\n"
        "wrapped_pruner = { kind = 'MedianPruner', n_warmup_steps = 1 }\n"
    )
    inner = Component("MedianPruner", {"n_warmup_steps": 1})
    assert study.pruner == Component("PatientPruner", {"patience": 2, "wrapped_pruner": inner})
    assert isinstance(study.pruner.build(seed=0), optuna.pruners.PatientPruner)
    assert study.lines()["study.pruner"] == (
        '{ kind = "PatientPruner", patience = 2, wrapped_pruner = { kind = "MedianPruner", n_warmup_steps = 1 } }'
    )


def test_an_experimental_sampler_is_built_without_a_warning() -> None:
    assert isinstance(Component("TPESampler", {"group": True}).build(seed=0), optuna.samplers.TPESampler)


def has_defaults_only(found: type) -> bool:
    parameters = inspect.signature(found).parameters.values()
    is_one_bound_needed = found is optuna.pruners.ThresholdPruner
    return all(parameter.default is not parameter.empty for parameter in parameters) and not is_one_bound_needed


EVERY = [
    (role, name)
    for role, module in (("sampler", optuna.samplers), ("pruner", optuna.pruners))
    for name in module.__all__
    if inspect.isclass(getattr(module, name))
    and not name.startswith("Base")
    and has_defaults_only(getattr(module, name))
]


@pytest.mark.parametrize(("role", "name"), [one for one in EVERY if one[1] not in NEEDS])
def test_every_sampler_and_pruner_of_optuna_can_be_named(role: str, name: str, definition_of: DefinitionOf) -> None:
    study = definition_of(f"[study]\n{role} = {{ kind = '{name}' }}")
    assert type(getattr(study, role).build(seed=0)).__name__ == name


def test_a_sampler_whose_package_is_not_installed_is_reported(
    problems_of: ProblemsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NEEDS, "CmaEsSampler", ("a_package_that_is_not_there",))
    (found,) = problems_of("[study]\nsampler = { kind = 'CmaEsSampler' }")
    assert "expected the package a_package_that_is_not_there, which CmaEsSampler requires (pip install" in found


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "sampler = 'TPESampler'",
            'study.sampler: expected a table like { kind = "BruteForceSampler" }; received'
            ' "TPESampler"; did you mean { kind = "TPESampler" }?',
        ),
        ("sampler = { n_startup_trials = 3 }", "study.sampler: expected a table like"),
        ("sampler = { kind = 3 }", "study.sampler.kind: expected one of BruteForceSampler, "),
        ("sampler = { kind = ['TPESampler'] }", "study.sampler.kind: expected one of BruteForceSampler, "),
        ("sampler = { kind = 'TPE' }", 'received "TPE"; did you mean "TPESampler"?'),
        ("pruner = { kind = 'HyperBandPruner' }", 'received "HyperBandPruner"; did you mean "HyperbandPruner"?'),
        ("pruner = { kind = 'BasePruner' }", "study.pruner.kind: expected one of HyperbandPruner, "),
        ("sampler = { kind = 'MedianPruner' }", "study.sampler.kind: expected one of BruteForceSampler, "),
        (
            "pruner = { kind = 'MedianPruner', n_warmup = 2 }",
            "study.pruner.n_warmup: expected one of n_startup_trials,"
            ' n_warmup_steps, interval_steps, n_min_trials; received "n_warmup"; did you mean n_warmup_steps?',
        ),
        (
            "pruner = { kind = 'MedianPruner', n_warmup_steps = 2.0 }",
            "n_warmup_steps: expected a whole number; received 2.0",
        ),
        ("pruner = { kind = 'MedianPruner', n_warmup_steps = true }", "n_warmup_steps: expected a whole number"),
        ("pruner = { kind = 'MedianPruner', interval_steps = 0 }", "expected arguments that MedianPruner accepts ("),
        (
            "pruner = { kind = 'HyperbandPruner', max_resource = 'auot' }",
            "expected arguments that HyperbandPruner accepts (",
        ),
        (
            "pruner = { kind = 'HyperbandPruner', max_resource = 1.5 }",
            "max_resource: expected a string or a whole number",
        ),
        (
            "pruner = { kind = 'PercentilePruner' }",
            "study.pruner.percentile: expected a value, since PercentilePruner requires one; received nothing",
        ),
        (
            "pruner = { kind = 'PatientPruner', patience = 1, wrapped_pruner = { kind = 'MedianPrunner' } }",
            "study.pruner.wrapped_pruner.kind: expected one of",
        ),
        (
            "sampler = { kind = 'TPESampler', n_startup_trials = 0, n_ei_candidates = 1000000000 }",
            "study.sampler.n_ei_candidates: expected a whole number up to 100,000; received 1000000000",
        ),
        (
            "pruner = { kind = 'SuccessiveHalvingPruner', min_early_stopping_rate = 1000000000 }",
            "study.pruner.min_early_stopping_rate: expected a whole number up to 100",
        ),
        (
            "sampler = { kind = 'TPESampler', gamma = 3 }",
            "study.sampler.gamma: expected no value, since a study file cannot",
        ),
        (
            "sampler = { kind = 'TPESampler', group = true, multivariate = false }",
            "expected arguments that TPESampler accepts",
        ),
    ],
)
def test_a_sampler_or_pruner_that_optuna_would_refuse_is_reported(
    line: str, problem: str, problems_of: ProblemsOf
) -> None:
    found = problems_of(f"[study]\n{line}")
    assert any(problem in one for one in found), found
    assert all(one.startswith("mine.toml:2: study.") for one in found)
