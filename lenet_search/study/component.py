"""An Optuna sampler or pruner, given by its class name and arguments."""

import importlib.util
import inspect
import math
import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lenet_search.study import hub
from lenet_search.study.guarded import guarded
from lenet_search.study.source import Source, nearest_name
from lenet_search.study.toml_lines import Path

# The values a study file can give an argument with this annotation, and their name in messages.
WRITABLE: dict[str, tuple[tuple[type, ...], str]] = {
    "int": ((int,), "a whole number"),
    "float": ((int, float), "a number"),
    "bool": ((bool,), "true or false"),
    "str": ((str,), "a string"),
    "dict": ((dict,), "a table"),
    "Mapping": ((dict,), "a table"),
}
# Packages that Optuna imports only at the first draw: report them before the search starts.
NEEDS = {
    "CmaEsSampler": ("cmaes",),
    "GPSampler": ("scipy", "torch"),
    "QMCSampler": ("scipy",),
    "WilcoxonPruner": ("scipy",),
}
MOST_COMBINATIONS = 1_000_000  # GridSampler lists them all
# The largest value of an argument that says how much is drawn or listed for one trial, or is an exponent: with more, a
# single trial would take all time and memory.
MOST = {"n_ei_candidates": 100_000, "popsize": 100_000, "bootstrap_count": 100_000, "min_early_stopping_rate": 100}


@dataclass(frozen=True)
class Component:
    """`{ kind = "MedianPruner", n_warmup_steps = 4 }`; an argument can itself be a component."""

    kind: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def build(self, seed: int, instead: type | None = None) -> Any:
        """The `optuna.samplers` or `optuna.pruners` object, with `seed` if it takes one and the study gives none.

        Args:
            seed: for components that draw random numbers
            instead: a class to use in place of Optuna's, with the same arguments
        """
        import optuna

        build = instead or component_class(self.kind)
        arguments = {
            name: value.build(seed) if isinstance(value, Component) else value for name, value in self.arguments.items()
        }
        if "seed" in inspect.signature(build).parameters:
            arguments.setdefault("seed", seed)
        with warnings.catch_warnings():
            # Naming an experimental sampler in a study is a deliberate choice.
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return build(**arguments)

    def for_epochs(self, longest: int) -> "Component":
        """The same pruner for trials of at most `longest` epochs. Hyperband would wait for one to complete."""
        if self.kind != "HyperbandPruner" or self.arguments.get("max_resource", "auto") != "auto":
            return self
        return Component(self.kind, {**self.arguments, "max_resource": longest})

    def __str__(self) -> str:
        """In short: 'MedianPruner', 'PercentilePruner(percentile = 25.0)'."""
        words = [f"{name} = {value}" for name, value in self.arguments.items()]
        return f"{self.kind}({', '.join(words)})" if words else self.kind

    def table(self) -> dict[str, Any]:
        """The component as written in a study file."""
        arguments = {
            name: value.table() if isinstance(value, Component) else value for name, value in self.arguments.items()
        }
        return {"kind": self.kind, **arguments}


def read_component(source: Source, raw: Any, path: Path, role: str) -> Component | None:
    """Read a sampler or pruner (`role`). Returns None, and reports why, if Optuna would reject it."""
    before = len(source.problems)
    known = classes(role)
    if not isinstance(raw, dict) or "kind" not in raw:
        nearest = nearest_name(raw, known) if isinstance(raw, str) else None
        hint = f'{{ kind = "{nearest}" }}' if nearest else None
        source.report(path, f'a table like {{ kind = "{next(iter(known))}" }}', raw, hint)
        return None
    kind = raw["kind"]
    found = _found(source, kind, path, role)
    if found is None:
        return None
    try:
        parameters = inspect.signature(found).parameters
    except hub.FAULTS as error:
        source.report((*path, "kind"), f"a class whose arguments can be told ({hub.reason(error)})", kind)
        return None
    arguments: dict[str, Any] = {}
    for name, value in raw.items():
        if name == "kind":
            continue
        if name not in parameters:
            source.report_unknown((*path, name), parameters)
        else:
            arguments[name] = _argument(source, value, parameters[name], (*path, name))
            if name in MOST and isinstance(value, int) and value > MOST[name]:
                source.report((*path, name), f"a whole number up to {MOST[name]:,}", value)
    for name, parameter in parameters.items():
        required = parameter.default is parameter.empty and parameter.kind not in (
            parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL
        )  # fmt: skip
        if required and name not in raw:
            source.report((*path, name), f"a value, since {kind} requires one")
    missing = [package for package in NEEDS.get(kind, ()) if importlib.util.find_spec(package) is None]
    for package in missing:
        source.report(
            (*path, "kind"), f"the package {package}, which {kind} requires (pip install {' '.join(missing)})"
        )
    component = Component(kind, arguments)
    _count_combinations(source, component, path)
    if len(source.problems) == before:
        _try(source, component, path)
    return component if len(source.problems) == before else None


def _found(source: Source, kind: Any, path: Path, role: str) -> type | None:
    """The class of a kind; None, which is reported, if there is none."""
    known = classes(role)
    if hub.is_of_hub(kind):
        try:
            if kind.startswith(f"{hub.PREFIX}{role}s/"):
                return hub.class_of(kind)
            source.report((*path, "kind"), f'a {role}, like "{hub.PREFIX}{role}s/NAME"', kind)
        except hub.NotFound as error:
            source.report((*path, "kind"), str(error), kind)
        return None
    if isinstance(kind, str) and kind in known:
        return known[kind]
    nearest = nearest_name(kind, known) if isinstance(kind, str) else None
    source.report((*path, "kind"), f"one of {', '.join(known)}", kind, f'"{nearest}"' if nearest else None)
    return None


def base_class(kind: str) -> type:
    """Optuna's base class of samplers or of pruners."""
    import optuna

    is_sampler = kind.endswith("Sampler") or kind.startswith(f"{hub.PREFIX}samplers/")
    return optuna.samplers.BaseSampler if is_sampler else optuna.pruners.BasePruner


def component_class(kind: str) -> Any:
    """The class of this name, of Optuna or OptunaHub."""
    import optuna

    if hub.is_of_hub(kind):
        return guarded(hub.class_of(kind), kind)
    return getattr(optuna.samplers if kind.endswith("Sampler") else optuna.pruners, kind)


def _count_combinations(source: Source, component: Component, path: Path) -> None:
    """Report a grid that would not fit the memory, before Optuna lists it."""
    grid = component.arguments.get("search_space")
    if component.kind == "GridSampler" and isinstance(grid, dict):
        count = math.prod(len(values) for values in grid.values() if isinstance(values, list))
        if count > MOST_COMBINATIONS:
            source.report(
                (*path, "search_space"), f"at most {MOST_COMBINATIONS:,} combinations; these are {count:,}", grid
            )


def classes(role: str) -> dict[str, type]:
    """Optuna's samplers or pruners, by name."""
    import optuna

    module = optuna.samplers if role == "sampler" else optuna.pruners
    named = {name: getattr(module, name) for name in module.__all__ if not name.startswith("Base")}
    return {name: found for name, found in named.items() if inspect.isclass(found)}


def _argument(source: Source, value: Any, parameter: inspect.Parameter, path: Path) -> Any:
    """The argument for the constructor. Reports a value that its annotation does not allow."""
    options = _types(parameter.annotation)
    for option, role in (("BaseSampler", "sampler"), ("BasePruner", "pruner")):
        if option in options:
            return read_component(source, value, path, role)
    writable = [WRITABLE[option] for option in options if option in WRITABLE]
    if not writable:
        source.report(path, "no value, since a study file cannot set this argument", value)
    elif not any(_is(value, types) for types, _ in writable):
        source.report(path, " or ".join(words for _, words in writable), value)
    return value


def _types(annotation: Any) -> list[str]:
    """The names of the types in an annotation, which may be a string: int and None of `Optional[int]`."""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    text = re.sub(r"(?:typing\.)?Optional\[(.*)\]", r"\1 | None", text)
    return [part.split("[")[0].rsplit(".", 1)[-1] for part in text.split(" | ")]


def _is(value: Any, types: tuple[type, ...]) -> bool:
    """`isinstance`, except that true and false are not numbers."""
    return isinstance(value, types) and (not isinstance(value, bool) or bool in types)


def _try(source: Source, component: Component, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # shown once, when the search builds the component
        try:
            built = component.build(seed=0)
        except hub.FAULTS as error:  # the constructor's message explains the problem
            source.report(path, f"arguments that {component.kind} accepts ({hub.reason(error)})", component.table())
            return
        if not isinstance(built, base_class(component.kind)):
            source.report(
                (*path, "kind"), f"a class that makes a sampler or pruner, not {type(built).__name__}", component.kind
            )
