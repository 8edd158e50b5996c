"""Record the results of `lenet-search reproduce` in the headers of recipes, so that no figure is copied by hand.

    python benchmarks/record_results.py results/reproduce.json --date "20 November 2026" --data cifar10="a JPEG copy"

Adds or replaces the header paragraph that begins with "Result"; nothing else changes.
"""

import argparse
import json
import re
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RECIPES = Path(__file__).parents[1] / "recipes"
WIDTH = 116  # characters after "# "


def sentence(recipe: Mapping[str, Any], date: str, data: Mapping[str, str]) -> str:
    """The result of a recipe, with n and its interval."""
    accuracy = recipe["metrics"]["test_accuracy"]
    images = recipe["images"]["name"]
    where = ", ".join([date, *([f"{images} as {data[images]}"] if images in data else []), recipe["device"]])
    interval = f"95 % interval {100 * accuracy['low']:.2f} to {100 * accuracy['high']:.2f}, n = {accuracy['n']}"
    over = " seed, over the test images" if accuracy["over"] == "images" else " seeds"
    text = f"Result ({where}): {100 * accuracy['mean']:.2f} % test accuracy ({interval}{over})"
    return text + (f"; {recipe['diverged']} more diverged." if recipe["diverged"] else ".")


def with_result(text: str, result: str) -> str:
    """A recipe's text with the paragraph `result` before the command that ends its header."""
    header, rest = text.split("\n\n", 1)
    paragraphs = [part for part in re.split(r"\n#\n", header) if not part.startswith("# Result")]
    lines = textwrap.wrap(result, WIDTH, break_long_words=False, break_on_hyphens=False)
    paragraphs.insert(len(paragraphs) - 1, "\n".join(f"# {line}" for line in lines))
    return "\n#\n".join(paragraphs) + "\n\n" + rest


def main() -> None:
    """Read the results and update the headers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--date", required=True)
    parser.add_argument("--data", action="append", default=[], metavar="NAME=TEXT", help="describes a data set")
    chosen = parser.parse_args()
    data = dict(item.split("=", 1) for item in chosen.data)
    for recipe in json.loads(chosen.results.read_text(encoding="utf-8"))["recipes"]:
        path = RECIPES / f"{recipe['name']}.toml"
        if recipe["metrics"]["test_accuracy"]["mean"] is not None and path.exists():
            result = sentence(recipe, chosen.date, data)
            path.write_text(with_result(path.read_text(encoding="utf-8"), result), encoding="utf-8")
            print(f"{path.name}: {result}")


if __name__ == "__main__":
    main()
