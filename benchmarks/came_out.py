"""Write what `lenet-search reproduce` measured into the headers of recipes, so that no figure is copied by hand.

    python benchmarks/came_out.py results/reproduce.json --date "20 November 2026" --data cifar10="a JPEG copy"

A header gets a paragraph that begins with "Came out", or a new one in its place; nothing else changes.
"""

import argparse
import json
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RECIPES = Path(__file__).parents[1] / "recipes"
WIDTH = 116  # characters beside "# "


def sentence(recipe: Mapping[str, Any], date: str, data: Mapping[str, str]) -> str:
    """What came of a recipe, with n and its interval."""
    found = recipe["metrics"]["test_accuracy"]
    images = recipe["images"]["name"]
    where = ", ".join([date, *([f"{images} as {data[images]}"] if images in data else []), recipe["device"]])
    interval = f"95 % interval {100 * found['low']:.2f} to {100 * found['high']:.2f}, n = {found['n']}"
    over = " seed, over the test images" if found["over"] == "images" else " seeds"
    text = f"Came out ({where}): {100 * found['mean']:.2f} % of the test images ({interval}{over})"
    return text + (f"; {recipe['diverged']} more diverged." if recipe["diverged"] else ".")


def written(text: str, came_out: str) -> str:
    """A recipe's text with the paragraph `came_out` before the command that ends its header."""
    header, rest = text.split("\n\n", 1)
    paragraphs = [part for part in re.split(r"\n#\n", header) if not part.startswith("# Came out")]
    lines = textwrap.wrap(came_out, WIDTH, break_long_words=False, break_on_hyphens=False)
    paragraphs.insert(len(paragraphs) - 1, "\n".join(f"# {line}" for line in lines))
    return "\n#\n".join(paragraphs) + "\n\n" + rest


def main() -> None:
    """Read the results, write the headers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--date", required=True)
    parser.add_argument("--data", action="append", default=[], metavar="NAME=WORDS", help="what a data set is here")
    chosen = parser.parse_args()
    data = dict(each.split("=", 1) for each in chosen.data)
    for recipe in json.loads(chosen.results.read_text(encoding="utf-8"))["recipes"]:
        path = RECIPES / f"{recipe['name']}.toml"
        if recipe["metrics"]["test_accuracy"]["mean"] is not None and path.exists():
            came_out = sentence(recipe, chosen.date, data)
            path.write_text(written(path.read_text(encoding="utf-8"), came_out), encoding="utf-8")
            print(f"{path.name}: {came_out}")


if __name__ == "__main__":
    main()
