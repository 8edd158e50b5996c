"""Any legal recipe, for property tests: each field drawn from what its own declaration allows.

What does not go together (`lenet_search.study.combinations`) gives way.
"""

import dataclasses

from hypothesis import strategies as st

from lenet_search.networks import NETWORKS
from lenet_search.recipe import FIELDS, Field, Recipe, Value
from lenet_search.recipe.loss import LOSSES
from lenet_search.recipe.optimizer import OPTIMIZERS, CurvatureRule


def legal_values(field: Field) -> st.SearchStrategy[Value]:
    legal = field.legal
    if legal.choices:
        return st.sampled_from(legal.choices)
    if legal.items is not None:
        one = dataclasses.replace(field, legal=dataclasses.replace(legal, type=legal.items, items=None))
        return st.lists(legal_values(one), min_size=1, max_size=5).map(tuple)
    if legal.count_or_share:
        return st.one_of(st.integers(1, 10**6), st.floats(0, 1, exclude_min=True, exclude_max=True))
    if legal.type is bool:
        return st.booleans()
    if legal.type is str:
        return st.text(st.characters(exclude_categories=["Cs"]))
    if legal.type is int:
        high = None if legal.high is None else int(legal.high)
        return st.integers(int(legal.low or 0), 10**9 if high is None else high)
    bounds = {"exclude_min": legal.open_low, "exclude_max": legal.open_high}
    return st.floats(legal.low, legal.high, allow_nan=False, allow_infinity=False, **bounds)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    values: dict[str, Value] = {}
    for path, field in FIELDS.items():
        if field.branch is None or values[f"{field.section}.kind"] == field.branch:
            values[path] = draw(legal_values(field))
    return Recipe.from_values(agreeing(values))


def agreeing(values: dict[str, Value]) -> dict[str, Value]:
    """The values, of which those that do not go with the others have given way."""
    network = NETWORKS[str(values["model.network"])]
    values |= {path: FIELDS[path].default for path in network.without_effect}
    if LOSSES[str(values["loss.kind"])].radial_basis and not network.radial_basis:
        values["loss.kind"] = "map"
    kind = str(values["optimizer.kind"])
    if issubclass(OPTIMIZERS[kind], CurvatureRule):
        values["model.batch_norm"] = False
        values["model.network"] = values["model.network"] if network.curvature else "lenet5"
        values[f"optimizer.{kind}.exact"] = values[f"optimizer.{kind}.exact"] and network.curvature == "exact"
    if values["schedule.kind"] == "piecewise":
        epochs = sorted(set(values["schedule.piecewise.epochs"]))  # type: ignore[arg-type]
        values["schedule.piecewise.epochs"] = tuple(epochs)
        values["schedule.piecewise.factors"] = (0.5,) * len(epochs)
    return values
