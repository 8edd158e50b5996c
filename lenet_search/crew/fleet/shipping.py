"""The images that workers on other machines need. They reach each machine once."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

from lenet_search.crew.fleet.host import Parcel
from lenet_search.crew.messages import Orders
from lenet_search.data.delivered import Wanted, digest_of, packed
from lenet_search.data.finding import find
from lenet_search.space import Range, Space


class Shipping:
    """Reads images when the first worker needs them, and puts them into Ray's object store.

    Args:
        space: space of all recipes, if they have one
        folder: folder of data sets
    """

    def __init__(self, space: Space | None, folder: Path | None) -> None:
        self._space = space
        self._folder = folder
        self._parcels: dict[Wanted, Parcel] = {}

    def needed(self, message: Orders) -> list[Wanted]:
        """What a worker reads to carry out its orders; of test sets, only those that it is told to measure."""
        found = [Wanted(str(load.values["data.name"]), "train", int(load.values["data.size"])) for load in message.load]  # type: ignore[arg-type]
        found += [Wanted(order.data, "test", order.size) for order in message.test]
        if message.measure:
            found += self._of_space()
        return list(dict.fromkeys(found))

    def parcel(self, wanted: Wanted) -> Parcel:
        """The images for a node.

        Raises:
            DataError: they cannot be read.
        """
        if wanted not in self._parcels:
            import ray

            arrays = packed(find(wanted.name, wanted.part, self._folder, wanted.size))
            self._parcels[wanted] = Parcel(wanted, digest_of(arrays), [ray.put(arrays)])
        return self._parcels[wanted]

    def _of_space(self) -> Iterator[Wanted]:
        """All that a trial may need: the size of stacks is measured on the largest images."""
        assert self._space is not None
        names, sizes = (self._space.possible(path) for path in ("data.name", "data.size"))
        assert isinstance(names, tuple)
        for name, size in product(names, (sizes.low, sizes.high) if isinstance(sizes, Range) else sizes):
            yield Wanted(str(name), "train", int(size))
