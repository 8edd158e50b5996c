"""Checks of combinations: values that are legal individually but not together."""

from collections.abc import Mapping

from lenet_search.recipe import FIELDS
from lenet_search.recipe.model import CURVATURE, EXACT_CURVATURE, RADIAL_BASIS, WITHOUT_EFFECT
from lenet_search.space import Choice, Entry, Range, Space
from lenet_search.study.source import Source


def report_combinations(source: Source, entries: Mapping[str, Entry]) -> None:
    """Report combinations that no trial, or not every trial, could train."""
    space = Space(entries)
    networks = [str(name) for name in _possible(space, "model.network")]
    _without_effect(source, entries, networks)
    _loss(source, space, networks)
    if "sdlm" in space.kinds("optimizer"):
        _sdlm(source, space, networks)
    if "piecewise" in space.kinds("schedule"):
        _piecewise(source, entries)


def _without_effect(source: Source, entries: Mapping[str, Entry], networks: list[str]) -> None:
    """Values other than the default that none of the networks uses."""
    for path in {path for name in networks for path in WITHOUT_EFFECT.get(name, ())}:
        entry = entries.get(path, FIELDS[path].default)
        if entry != FIELDS[path].default and all(path in WITHOUT_EFFECT.get(name, ()) for name in networks):
            expected = f"the default, since it has no effect on {' and '.join(networks)}"
            source.report(tuple(path.split(".")), expected, _raw(entry))


def _loss(source: Source, space: Space, networks: list[str]) -> None:
    without = [name for name in networks if name not in RADIAL_BASIS]
    if "mse" in _possible(space, "loss.kind") and without:
        expected = (
            f'"cross_entropy" or "map" for {" and ".join(without)}, since equation (8) needs the radial-basis '
            f"outputs of {' and '.join(RADIAL_BASIS)}"
        )
        source.report(("loss", "kind"), expected, "mse")


def _sdlm(source: Source, space: Space, networks: list[str]) -> None:
    exact = space.can_exceed("optimizer.sdlm.exact")
    if unknown := [name for name in networks if name not in CURVATURE]:
        source.report(("optimizer", "kind"), f"an optimizer other than sdlm for {' and '.join(unknown)}", "sdlm")
    elif exact and (unknown := [name for name in networks if name not in EXACT_CURVATURE]):
        expected = f"false for {' and '.join(unknown)}, where it takes hours; for {', '.join(EXACT_CURVATURE)} only"
        source.report(("optimizer", "sdlm", "exact"), expected, True)
    if space.can_exceed("model.batch_norm") and any(
        "model.batch_norm" not in WITHOUT_EFFECT.get(n, ()) for n in networks
    ):
        expected = "false with sdlm, which measures the curvature of single images"
        source.report(("model", "batch_norm"), expected, True)


def _piecewise(source: Source, entries: Mapping[str, Entry]) -> None:
    path = "schedule.piecewise"
    epochs, factors = (entries[f"{path}.{name}"] for name in ("epochs", "factors"))
    assert isinstance(epochs, tuple)
    assert isinstance(factors, tuple)
    if list(epochs) != sorted(set(epochs)):
        source.report((*path.split("."), "epochs"), "increasing epochs", epochs)
    if len(epochs) != len(factors):
        expected = f"as many factors as epochs, {len(epochs)}"
        source.report((*path.split("."), "factors"), expected, factors)


def _possible(space: Space, path: str) -> tuple[object, ...]:
    possible = space.possible(path)
    return () if isinstance(possible, Range) else possible


def _raw(entry: Entry) -> object:
    """An entry as written in a study file."""
    if isinstance(entry, Choice):
        return {"choices": list(entry.choices)}
    return {"low": entry.low, "high": entry.high} if isinstance(entry, Range) else entry
