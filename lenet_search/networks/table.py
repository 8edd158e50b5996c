"""All networks as a Markdown table, for `docs/networks.md`: `python -m lenet_search.networks.table`."""

from lenet_search.networks import NETWORKS, Network, Shape

CURVATURE = {"exact": "exact or approximate", "approximate": "approximate", "": "no"}


def table() -> str:
    """One row for each network."""
    head = ("network", "what it is", "parameters", "images", "`sdlm`", "ignores")
    rows = [head, ("---",) * len(head), *((f"`{name}`", *_cells(each)) for name, each in NETWORKS.items())]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _cells(network: Network) -> tuple[str, ...]:
    counts = "; ".join(f"{count:,} on {_size(shape)}" for shape, count in network.counts.items())
    side = network.side or network.smallest
    images = "any" if side == 1 else ("" if network.side else "from ") + _size((side, side))
    framed = "" if network.padded else ", no frame"
    ignored = ", ".join(f"`{path}`" for path in sorted(network.without_effect)) or "nothing"
    return network.meaning, counts, images + framed, CURVATURE[network.curvature], ignored


def _size(shape: Shape) -> str:
    return "x".join(map(str, shape))


if __name__ == "__main__":
    print(table())
