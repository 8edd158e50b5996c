"""Whether stored JSON has the shape that its readers rely on: anyone can write to a storage."""

from collections.abc import Mapping
from typing import Any

from lenet_search.recipe import Recipe

# A type, a table with at least these keys, a list of one shape, one of several shapes, or a function that says what is
# wrong with a value ("" if nothing).
Shape = Any

NUMBER = (int, float, None)  # None: it was not finite, or there is none
MEAN: Shape = {"n": int, "mean": NUMBER, "low": NUMBER, "high": NUMBER}


def misfit(value: Any, shape: Shape, name: str = "") -> str:
    """What is wrong with a value, and where: "recipes.0.n: received 'x'"; "" if nothing."""
    if isinstance(shape, tuple):
        found = [misfit(value, each, name) for each in shape]
        return "" if "" in found else found[0]
    if isinstance(shape, Mapping):
        if not isinstance(value, Mapping):
            return _received(name, value)
        found = [misfit(value.get(key, ...), each, _in(name, key)) for key, each in shape.items()]
        return next(filter(None, found), "")
    if isinstance(shape, list):
        if not isinstance(value, list):
            return _received(name, value)
        found = [misfit(each, shape[0], _in(name, place)) for place, each in enumerate(value)]
        return next(filter(None, found), "")
    if shape is None:
        return "" if value is None else _received(name, value)
    if isinstance(shape, type):
        right = isinstance(value, shape) and (shape is bool or not isinstance(value, bool))
        return "" if right else _received(name, value)
    said = shape(value)
    return f"{name}: {said}" if said else ""


def recipe_values(value: Any) -> str:
    """What is wrong with the flat values of a recipe."""
    try:
        Recipe.from_values(value)
    except (ValueError, TypeError, AttributeError, KeyError, OverflowError) as error:
        return f"no recipe ({error})"
    return ""


def _in(name: str, key: Any) -> str:
    return f"{name}.{key}" if name else str(key)


def _received(name: str, value: Any) -> str:
    received = "nothing" if value is ... else repr(value)[:100]
    return f"{name}: received {received}" if name else f"received {received}"
