"""The registry as a Markdown table, for `docs/studies.md`: `python -m lenet_search.data.table`."""

from lenet_search.data.dataset import Dataset
from lenet_search.data.registry import DATASETS


def table() -> str:
    """One row per data set, in the order of the registry."""
    head = [
        "| data set | images (training + test) | height, width, channels | classes | where from | authors, license |"
    ]
    return "\n".join([*head, "|---|---|---|---|---|---|", *map(_row, DATASETS.values())])


def _row(dataset: Dataset) -> str:
    images = " + ".join(f"{count:,}" for count in dataset.images)
    shape = ", ".join(map(str, dataset.image_shape))
    cells = f"`{dataset.name}`", images, shape, str(len(dataset.classes)), dataset.fetched, dataset.source
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(table())
