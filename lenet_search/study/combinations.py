"""Checks of combinations: values that are legal individually but not together."""

from collections.abc import Mapping

from lenet_search.networks import NETWORKS
from lenet_search.recipe import FIELDS
from lenet_search.recipe.loss import LOSSES
from lenet_search.recipe.optimizer import OPTIMIZERS, CurvatureRule
from lenet_search.recipe.schedule import SCHEDULES
from lenet_search.space import Choice, Entry, Range, Space
from lenet_search.study.source import Source


def report_combinations(source: Source, entries: Mapping[str, Entry]) -> None:
    """Report combinations that no trial, or not every trial, could train."""
    space = Space(entries)
    networks = [str(name) for name in _possible(space, "model.network")]
    _without_effect(source, entries, networks)
    _loss(source, space, networks)
    for kind in space.kinds("optimizer"):
        if issubclass(OPTIMIZERS[kind], CurvatureRule):
            _curvature(source, space, networks, kind)
    for kind in space.kinds("schedule"):
        _schedule(source, entries, kind)


def _without_effect(source: Source, entries: Mapping[str, Entry], networks: list[str]) -> None:
    """Values other than the default that none of the networks uses."""
    for path in set[str]().union(*(NETWORKS[name].without_effect for name in networks)):
        entry = entries.get(path, FIELDS[path].default)
        if entry != FIELDS[path].default and all(path in NETWORKS[name].without_effect for name in networks):
            expected = f"the default, since it has no effect on {' and '.join(networks)}"
            source.report(tuple(path.split(".")), expected, _raw(entry))


def _loss(source: Source, space: Space, networks: list[str]) -> None:
    without = [name for name in networks if not NETWORKS[name].radial_basis]
    for kind in _possible(space, "loss.kind"):
        if LOSSES[str(kind)].radial_basis and without:
            others = " or ".join(f'"{name}"' for name, loss in LOSSES.items() if not loss.radial_basis)
            having = " and ".join(name for name, each in NETWORKS.items() if each.radial_basis)
            expected = f"{others} for {' and '.join(without)}, since {kind} needs the radial-basis outputs of {having}"
            source.report(("loss", "kind"), expected, kind)


def _curvature(source: Source, space: Space, networks: list[str], kind: str) -> None:
    known = [name for name in networks if NETWORKS[name].curvature]
    exact = [name for name in networks if NETWORKS[name].curvature == "exact"]
    if unknown := [name for name in networks if name not in known]:
        source.report(("optimizer", "kind"), f"an optimizer other than {kind} for {' and '.join(unknown)}", kind)
    elif space.can_exceed(f"optimizer.{kind}.exact") and (slow := [name for name in networks if name not in exact]):
        quick = ", ".join(name for name, each in NETWORKS.items() if each.curvature == "exact")
        expected = f"false for {' and '.join(slow)}, where it takes hours; for {quick} only"
        source.report(("optimizer", kind, "exact"), expected, True)
    if space.can_exceed("model.batch_norm") and any(
        "model.batch_norm" not in NETWORKS[name].without_effect for name in networks
    ):
        expected = f"false with {kind}, which measures the curvature of single images"
        source.report(("model", "batch_norm"), expected, True)


def _schedule(source: Source, entries: Mapping[str, Entry], kind: str) -> None:
    """Values of one schedule that do not agree; what is searched is taken by its default."""
    prefix = f"schedule.{kind}."
    fixed = {path: entry for path, entry in entries.items() if not isinstance(entry, Choice | Range)}
    given = {path.removeprefix(prefix): entry for path, entry in fixed.items() if path.startswith(prefix)}
    branch = SCHEDULES[kind](**given)
    for name, expected in branch.disagreements():
        source.report(("schedule", kind, name), expected, getattr(branch, name))


def _possible(space: Space, path: str) -> tuple[object, ...]:
    possible = space.possible(path)
    return () if isinstance(possible, Range) else possible


def _raw(entry: Entry) -> object:
    """An entry as written in a study file."""
    if isinstance(entry, Choice):
        return {"choices": list(entry.choices)}
    return {"low": entry.low, "high": entry.high} if isinstance(entry, Range) else entry
