"""What all functions take in the same way: data sets and views."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lenet_search.look.progress import View

Data = str | Path | Mapping[str, Any] | Sequence[Any] | None  # a folder to search for NAME.npz, or arrays


def shown(view: "View | None") -> "View":
    """The given view or, by default, one on standard error or in the notebook's cell."""
    if view is not None:
        return view
    from lenet_search.look.console import console
    from lenet_search.look.live import view_for

    return view_for(console(stderr=True))


def folder_and_name(data: Data) -> tuple[Path | None, tuple[str, ...]]:
    """The folder of data sets, or the override that names the file of the given arrays."""
    if data is None or isinstance(data, str | Path):
        return (None if data is None else Path(data)), ()
    return None, named(data)


def named(arrays: Any) -> tuple[str, ...]:
    """The override that names the file of the given arrays; none if there are none."""
    if arrays is None:
        return ()
    from lenet_search.data.arrays import store

    return (f"data.name='{store(arrays)}'",)
