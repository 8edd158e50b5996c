"""Finding a data set: as the path of a file, as NAME.npz in the data folder, then in the registry."""

import os
from pathlib import Path

from lenet_search.data.dataset import Arrays
from lenet_search.data.files import read_npz
from lenet_search.data.registry import DATASETS
from lenet_search.errors import DataError


def find(name: str, wanted: tuple[str, ...], folder: Path | None) -> tuple[str, Arrays]:
    """The origin of a data set, in words, and its arrays; from a file, only the `wanted` ones are read.

    Raises:
        DataError: there is no data set `name`, or it cannot be read.
    """
    if folder is None and os.environ.get("LENET_SEARCH_DATA"):
        folder = Path(os.environ["LENET_SEARCH_DATA"])
    if folder is not None and not folder.expanduser().is_dir():
        raise DataError(f"{folder}: expected a folder with {Path(name).stem}.npz (--data or LENET_SEARCH_DATA)")

    is_path = name.endswith(".npz") or len(Path(name).parts) > 1
    places = [Path(name).expanduser()] if is_path else []
    if folder is not None:
        places.append(folder.expanduser() / (name if is_path else f"{name}.npz"))
    for place in places:
        if place.exists():
            return str(place), read_npz(place, wanted)
    if name in DATASETS:
        try:
            return DATASETS[name].origin, DATASETS[name].read()
        except DataError as error:
            raise DataError("; ".join([str(error), *(f"there is no {place}" for place in places)])) from error
    looked = f"there is no {' and no '.join(map(str, places))}" if places else "no folder was given"
    raise DataError(
        f"data.name: there is no data set {name!r} ({looked}); expected {', '.join(DATASETS)}, the path of an "
        ".npz file, or the name of one in the folder given by --data or LENET_SEARCH_DATA"
    )
