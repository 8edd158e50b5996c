"""Samplers and pruners of OptunaHub: the real package, with what it would have downloaded already in its cache."""

from collections.abc import Callable
from pathlib import Path

import optuna
import pytest

from lenet_search.errors import RunError
from lenet_search.study import Component, hub
from tests.study.conftest import DefinitionOf, ProblemsOf

SEARCHED = "[regularize]\ndropout = { low = 0.0, high = 0.5 }\n"
SAMPLER = """
import optuna
from optuna.samplers import BaseSampler, RandomSampler

__all__ = ["HalvingSampler"]


class HalvingSampler(RandomSampler):
    def __init__(self, part: float = 0.5, seed: int | None = None) -> None:
        super().__init__(seed)
        self.part, self.seed = part, seed
        if part > 1:
            raise ValueError("part is a share")
"""
PRUNER = """
from optuna.pruners import BasePruner, MedianPruner


class NeverPruner(BasePruner):
    def prune(self, study, trial):
        return False


class OtherPruner(NeverPruner):
    pass
"""

Publish = Callable[[str, str], None]


@pytest.fixture
def publish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Puts a package where OptunaHub keeps what it has downloaded."""
    monkeypatch.setenv("OPTUNAHUB_CACHE_HOME", str(tmp_path / "hub"))
    hub.class_of.cache_clear()

    def published(package: str, code: str) -> None:
        folder = tmp_path / "hub/github.com/optuna/optunahub-registry/main/package" / package
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text(code)

    return published


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network: git finds nobody at the registry's address."""
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


def sampler_of(text: str) -> str:
    return f"[study]\nsampler = {text}\n{SEARCHED}"


def test_a_sampler_of_optunahub_is_built_with_its_arguments_and_the_seed_of_the_study(
    publish: Publish, definition_of: DefinitionOf
) -> None:
    publish("samplers/halving", SAMPLER)
    sampler = definition_of(sampler_of('{ kind = "hub:samplers/halving", part = 0.25 }')).sampler
    built = sampler.build(seed=7)
    assert (type(built).__name__, built.part, built.seed) == ("HalvingSampler", 0.25, 7)
    assert sampler.table() == {"kind": "hub:samplers/halving", "part": 0.25}


@pytest.mark.parametrize(
    ("kind", "arguments", "problem"),
    [
        ("hub:samplers/halving", "parts = 0.25", "study.sampler.parts: expected one of part, seed; "),
        ("hub:samplers/halving", "part = 'a'", "study.sampler.part: expected a number; "),
        (
            "hub:samplers/halving",
            "part = 2.0",
            "expected arguments that hub:samplers/halving accepts (part is a share)",
        ),
        ("hub:pruners/never", "", 'study.sampler.kind: expected a sampler, like "hub:samplers/NAME"; '),
        ("hub:samplers/../x", "", 'study.sampler.kind: expected a package of OptunaHub, like "hub:samplers/auto_s'),
        (
            "hub:samplers/halving:Other",
            "",
            'study.sampler.kind: expected one of "hub:samplers/halving:HalvingSampler"; ',
        ),
    ],
)
def test_what_a_package_of_optunahub_would_refuse_is_reported_with_its_line(
    kind: str, arguments: str, problem: str, publish: Publish, problems_of: ProblemsOf
) -> None:
    publish("samplers/halving", SAMPLER)
    (found,) = problems_of(sampler_of(f'{{ kind = "{kind}"{", " + arguments if arguments else ""} }}'))
    assert found.startswith("mine.toml:2: ") and problem in found


def test_of_several_in_a_package_the_class_is_named(
    publish: Publish, definition_of: DefinitionOf, problems_of: ProblemsOf
) -> None:
    publish("pruners/several", PRUNER)
    text = "[study]\npruner = { kind = 'hub:pruners/several' }\n" + SEARCHED
    (problem,) = problems_of(text)
    assert 'expected one of "hub:pruners/several:NeverPruner", "hub:pruners/several:OtherPruner"; ' in problem
    named = definition_of(text.replace("several'", "several:OtherPruner'"))
    assert type(named.pruner.build(seed=0)).__name__ == "OtherPruner"


@pytest.mark.parametrize(
    ("code", "said"),
    [("", "a package with a sampler"), ("import no_such_module", "No module named 'no_such_module'"), ("x = (", "'('")],
)
def test_a_package_that_cannot_be_used_is_an_error_with_its_reason(
    code: str, said: str, publish: Publish, problems_of: ProblemsOf
) -> None:
    publish("samplers/broken", code)
    (problem,) = problems_of(sampler_of('{ kind = "hub:samplers/broken" }'))
    assert problem.startswith("mine.toml:2: study.sampler.kind: expected ") and said in problem


@pytest.mark.parametrize("line", ["raise SystemExit(3)", "__all__ = 5", "__all__ = [1]", "def __getattr__(n): 1 / 0"])
def test_whatever_a_package_does_when_it_is_loaded_is_an_error_of_the_file(
    line: str, publish: Publish, problems_of: ProblemsOf, capsys: pytest.CaptureFixture[str]
) -> None:
    publish("samplers/strange", f"print('hello')\n{line}\n")
    (problem,) = problems_of(sampler_of('{ kind = "hub:samplers/strange" }'))
    assert problem.startswith("mine.toml:2: study.sampler.kind: expected a package ")
    assert "hello" not in capsys.readouterr().out


def test_annotations_of_a_package_may_have_any_form(publish: Publish, definition_of: DefinitionOf) -> None:
    arguments = "n: int | None = None, m: Optional[int] = None, k: 'typing.Optional[float]' = None, **more"
    code = (
        "import typing\nfrom typing import Optional\nfrom optuna.samplers import RandomSampler\n"
        f"class AnySampler(RandomSampler):\n    def __init__(self, {arguments}):\n"
        "        super().__init__()\n        self.given = n, m, k\n__all__ = ['AnySampler']\n"
    )
    publish("samplers/any", code)
    found = definition_of(sampler_of('{ kind = "hub:samplers/any", n = 3, m = 4, k = 0.5 }'))
    assert found.sampler.build(0).given == (3, 4, 0.5)


def test_the_rehearsal_leaves_the_arguments_of_a_package_as_they_are(
    publish: Publish, definition_of: DefinitionOf
) -> None:
    code = (
        "from optuna.samplers import RandomSampler\nclass Some(RandomSampler):\n"
        "    def __init__(self, population_size: int = 40):\n        super().__init__()\n"
        "        assert population_size > 3\n"
    )
    publish("samplers/some", code)
    assert definition_of(sampler_of('{ kind = "hub:samplers/some:Some" }')).sampler.kind == "hub:samplers/some:Some"


FAILING = """
from optuna.pruners import HyperbandPruner
from optuna.samplers import RandomSampler


class Sealed(Exception):
    def __str__(self):
        raise AttributeError


class Failing(RandomSampler):
    def __init__(self, method: str, after: int = 100) -> None:
        super().__init__(0)
        self.method, self.left = method, after

    def due(self, method):
        self.left -= method == self.method
        print("a word of its own")
        if method == self.method and self.left < 0:
            raise SystemExit("out of luck")

    def before_trial(self, study, trial):
        self.due("before_trial")

    def infer_relative_search_space(self, study, trial):
        self.due("infer_relative_search_space")
        return study.get_trials()[0].distributions

    def sample_relative(self, study, trial, search_space):
        self.due("sample_relative")
        if self.method == "unasked":
            return {"augment.shift": 1}
        return dict.fromkeys(search_space, 0.9) if self.method == "relative range" else {}

    def sample_independent(self, study, trial, param_name, param_distribution):
        self.due("sample_independent")
        if self.method == "sealed":
            raise Sealed
        if self.method in ("range", "type", "text"):
            return {"range": 0.9, "type": "high", "text": "0.1"}[self.method]
        return super().sample_independent(study, trial, param_name, param_distribution)

    def after_trial(self, study, trial, state, values):
        self.due("after_trial")


class FailingPruner(HyperbandPruner):
    def prune(self, study, trial):
        raise ZeroDivisionError
"""


@pytest.mark.parametrize(
    ("method", "said"),
    [
        *((method, "(SystemExit: out of luck)") for method in ("before_trial", "infer_relative_search_space")),
        *((method, "(SystemExit: out of luck)") for method in ("sample_relative", "sample_independent", "after_trial")),
        *((method, "(it drew regularize.dropout = 0.9, which is not in ") for method in ("relative range", "range")),
        ("type", "(it drew regularize.dropout = 'high', which is not in "),
        ("text", "(it drew regularize.dropout = '0.1', which is not in "),
        ("unasked", "(it drew augment.shift, which it had not been asked for)"),
        ("sealed", "(Sealed)"),
    ],
)
def test_what_fails_in_a_package_is_its_fault_and_nothing_of_it_reaches_stdout(
    method: str, said: str, publish: Publish, capsys: pytest.CaptureFixture[str]
) -> None:
    publish("samplers/failing", FAILING)
    built = Component("hub:samplers/failing:Failing", {"method": method, "after": 2}).build(0)
    study = optuna.create_study(sampler=built)

    def search() -> None:
        for _ in range(4):
            trial = study.ask()
            study.tell(trial, trial.suggest_float("regularize.dropout", 0.0, 0.5))

    with pytest.raises(
        RunError, match="hub:samplers/failing:Failing failed, which is a fault of this package "
    ) as error:
        search()
    assert said in str(error.value)
    assert capsys.readouterr().out == ""


def test_a_package_may_draw_numbers_of_numpy(publish: Publish) -> None:
    code = "import numpy as np\nfrom optuna.samplers import RandomSampler\nclass Numpy(RandomSampler):\n"
    code += "    def sample_independent(self, *given):\n        return np.float32(0.25)\n"
    publish("samplers/of_numpy", code)
    study = optuna.create_study(sampler=Component("hub:samplers/of_numpy:Numpy").build(0))
    drawn = study.ask().suggest_float("regularize.dropout", 0.0, 0.5)
    assert type(drawn) is float and drawn == 0.25


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("    def __init__(self):\n        raise GeneratorExit\n", "accepts (GeneratorExit)"),
        ("    def __init__(self):\n        raise ValueError\n", "accepts (ValueError)"),
        ("    def __new__(cls):\n        pass\n", "a class that makes a sampler or pruner, not NoneType"),
        ("    __signature__ = 5\n", "a class whose arguments can be told ("),
    ],
)
def test_a_class_that_makes_nothing_is_an_error_of_the_file(
    code: str, said: str, publish: Publish, problems_of: ProblemsOf
) -> None:
    publish("samplers/odd", f"from optuna.samplers import RandomSampler\nclass Odd(RandomSampler):\n{code}")
    (problem,) = problems_of(sampler_of('{ kind = "hub:samplers/odd:Odd" }'))
    assert problem.startswith("mine.toml:2: study.sampler") and said in problem


def test_a_pruner_of_a_package_is_still_what_it_was_and_its_faults_are_its_own(publish: Publish) -> None:
    publish("pruners/failing", FAILING)
    pruner = Component("hub:pruners/failing:FailingPruner").build(0)
    assert isinstance(pruner, optuna.pruners.HyperbandPruner) and type(pruner).__name__ == "FailingPruner"
    with pytest.raises(RunError, match=r"hub:pruners/failing:FailingPruner failed.*\(ZeroDivisionError\)"):
        optuna.create_study(pruner=pruner).ask().should_prune()


def test_a_package_may_offer_classes_of_optuna(publish: Publish, definition_of: DefinitionOf) -> None:
    publish("samplers/again", "from optuna.samplers import TPESampler, RandomSampler\n__all__ = ['TPESampler']\n")
    sampler = definition_of(sampler_of('{ kind = "hub:samplers/again" }')).sampler
    assert isinstance(sampler.build(0), optuna.samplers.TPESampler)


@pytest.mark.usefixtures("nowhere")
def test_without_a_network_a_package_that_was_never_downloaded_is_an_error(
    publish: Publish, problems_of: ProblemsOf
) -> None:
    (problem,) = problems_of(sampler_of('{ kind = "hub:samplers/never_downloaded" }'))
    assert (
        "expected a package that OptunaHub has, and that can be loaded (unable to access 'https://github.com/"
        in problem
    )


def test_without_the_package_optunahub_the_error_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch, publish: Publish, problems_of: ProblemsOf
) -> None:
    monkeypatch.setattr(hub.importlib.util, "find_spec", lambda name: None)
    (problem,) = problems_of(sampler_of('{ kind = "hub:samplers/halving" }'))
    assert "(pip install 'lenet-search[hub]')" in problem
