"""How well `predict` reads digits as people photograph and draw them: with and without finding and centering them.

    lenet-search train lenet-basic --seeds 1 --set train.epochs=3 --out m
    python benchmarks/drawings.py m/model.keras --digits 200 [--sheet seen.png]

Held-out digits of the model's own data set (its validation images, never the test set) are enlarged and put on pages:
each scene draws the digit's size, its place, the light and the noise anew. The pages are files, read as `predict` does.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from lenet_search import data
from lenet_search.data.frame import box
from lenet_search.look.intervals import share_of
from lenet_search.model.predictor import open_model
from lenet_search.model.prepare import prepare
from lenet_search.recipe import Recipe

Random = np.random.Generator
COLUMNS = 12  # pages of a scene on the sheet


def enlarged(digit: np.ndarray, side: int) -> np.ndarray:
    """The ink of a digit (H, W), from 0 to 1, with sharp edges: its longer side has `side` pixels."""
    top, left, bottom, right = box(digit)
    inside = np.pad(digit[top:bottom, left:right], 2)
    scale = side / max(bottom - top, right - left)
    size = round(scale * inside.shape[1]), round(scale * inside.shape[0])
    smooth = np.asarray(Image.fromarray(inside).resize(size, Image.Resampling.BICUBIC), float) / 255
    return np.clip((smooth - 0.5) * max(1.0, scale / 3) + 0.5, 0, 1)


def slope(rng: Random, shape: tuple[int, int], low: float, high: float) -> np.ndarray:
    """Light that falls off over the page, in any direction."""
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : shape[0] * 1j, -1 : 1 : shape[1] * 1j]
    across = np.cos(angle) * y + np.sin(angle) * x
    return low + (high - low) * (across - across.min()) / np.ptp(across)


def page(
    rng: Random, digit: np.ndarray, paper: np.ndarray, side: int, ink: float, noise: float = 0.0, turn: float = 0.0,
    margin: float = 0.03,
) -> np.ndarray:  # fmt: skip
    """A digit at a random place on paper (H, W), photographed: a little blurred, and noisy."""
    drawn = enlarged(digit, side)
    if turn:
        image = Image.fromarray(np.uint8(255 * drawn))
        turned = image.rotate(rng.uniform(-turn, turn), Image.Resampling.BICUBIC, expand=True)
        drawn = np.asarray(turned, float) / 255
    room = [int(rng.uniform(margin, 1 - margin) * (a - b)) for a, b in zip(paper.shape, drawn.shape, strict=True)]
    cover = np.zeros(paper.shape)
    cover[room[0] : room[0] + drawn.shape[0], room[1] : room[1] + drawn.shape[1]] = drawn
    mixed = Image.fromarray(np.uint8(np.clip(paper * (1 - cover) + ink * cover, 0, 255)))
    blurred = np.asarray(mixed.filter(ImageFilter.GaussianBlur(1.0)) if noise else mixed, float)
    return blurred + rng.normal(0, noise, paper.shape) if noise else blurred


def in_a_corner(_: Random, digit: np.ndarray) -> np.ndarray:
    """A digit drawn in one corner of a canvas."""
    side = enlarged(digit, 80)
    canvas = np.full((280, 280), 255.0)
    canvas[8 : 8 + side.shape[0], 8 : 8 + side.shape[1]] -= 255 * side
    return canvas


def shadow(rng: Random, shape: tuple[int, int]) -> np.ndarray:
    """Light that falls off, and a shadow with a soft edge over half of the page."""
    light = slope(rng, shape, 150, 235) * np.where(slope(rng, shape, 0, 1) < 0.5, 0.62, 1)
    return np.asarray(Image.fromarray(np.uint8(light)).filter(ImageFilter.GaussianBlur(8)), float)


def table(rng: Random, shape: tuple[int, int]) -> np.ndarray:
    """A sheet on a dark table."""
    paper = np.full(shape, 60.0)
    paper[60:-60, 90:-90] = slope(rng, (shape[0] - 120, shape[1] - 180), 180, 235)
    return paper


def ruled(_: Random, shape: tuple[int, int]) -> np.ndarray:
    """Squared paper."""
    paper = np.full(shape, 235.0)
    paper[20::48] = paper[21::48] = paper[:, 20::48] = paper[:, 21::48] = 190
    return paper


VGA, BIG = (480, 640), (900, 1200)
SCENES: dict[str, Callable[[Random, np.ndarray], np.ndarray]] = {
    "as in MNIST": lambda rng, digit: digit.astype(float),
    "as in MNIST, inverted": lambda rng, digit: 255.0 - digit,
    "black on a white canvas": lambda rng, digit: page(rng, digit, np.full((280, 280), 255.0), 140, 0),
    "white on black, small": lambda rng, digit: page(rng, digit, np.zeros((280, 280)), 60, 255),
    "in a corner": in_a_corner,
    "12 pixels high in 28x28": lambda rng, digit: page(rng, digit, np.full((28, 28), 255.0), 12, 0),
    "fills the page": lambda rng, digit: page(rng, digit, np.full((330, 330), 255.0), 260, 0),
    "photo: gradient, noise": lambda rng, digit: page(rng, digit, slope(rng, VGA, 110, 230), 200, 40, 12),
    "photo: shadow": lambda rng, digit: page(rng, digit, shadow(rng, BIG), int(rng.integers(150, 400)), 45, 8),
    "photo: turned by up to 12°": lambda rng, digit: page(
        rng, digit, slope(rng, BIG, 120, 220), int(rng.integers(90, 300)), 50, 10, 12
    ),
    "photo: small on 1500x2000": lambda rng, digit: page(rng, digit, slope(rng, (1500, 2000), 170, 240), 70, 60, 6),
    "photo: chalk on a board": lambda rng, digit: page(rng, digit, slope(rng, VGA, 25, 80), 180, 210, 10),
    "photo: sheet on a table": lambda rng, digit: page(rng, digit, table(rng, BIG), 250, 50, 6, margin=0.25),
    "photo: squared paper": lambda rng, digit: page(rng, digit, ruled(rng, VGA), 200, 40, 4),
    "photo: pencil, faint": lambda rng, digit: page(rng, digit, np.full(VGA, 235.0), 200, 185, 6),
    "photo: nothing on it": lambda rng, digit: slope(rng, VGA, 110, 230) + rng.normal(0, 12, VGA),
}


def main() -> None:
    """Measure every scene, and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, metavar="MODEL.keras")
    parser.add_argument("--digits", type=int, default=200, metavar="N", help="held-out digits (default: 200)")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="folder with mnist.npz")
    parser.add_argument("--sheet", type=Path, metavar="FILE.png", help="write some pages, and what the model saw")
    options = parser.parse_args()

    predictor = open_model(options.model)
    values = json.loads(options.model.with_name("recipe.json").read_text())["values"]
    split = data.load(Recipe.from_values(values).images, options.data)
    inside = slice(split.pad, split.x_val.shape[1] - split.pad)
    digits, labels = split.x_val[: options.digits, inside, inside, 0], split.y_val[: options.digits]
    print("| scene | as it is | centered | blank | ms per image |\n|---|---:|---:|---:|---:|")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for name, scene in SCENES.items():
            rng, right, blank, spent, row = np.random.default_rng(1998), {}, 0, 0.0, []
            seen: dict[bool, list[np.ndarray]] = {False: [], True: []}
            empty = np.zeros((predictor.form.height, predictor.form.width, 1), np.float32)
            for digit in digits:
                drawn = Image.fromarray(np.uint8(np.clip(np.rint(scene(rng, digit)), 0, 255)))
                path = Path(folder, "page.jpg" if name.startswith("photo") else "page.png")
                drawn.save(path, quality=90)
                for center in seen:
                    start = time.perf_counter()
                    pixels = prepare(path, predictor.form, center=center).pixels
                    spent += (time.perf_counter() - start) * center
                    blank += center and pixels is None
                    seen[center].append(empty if pixels is None else pixels)
                row += [_cell(drawn), _cell(Image.fromarray(np.uint8(np.rint(seen[True][-1][..., 0]))))]
            rows.append(np.hstack(row[: 2 * COLUMNS]))
            for center, images in seen.items():
                guesses = predictor.classify(np.stack(images)).argmax(axis=1)
                right[center] = share_of(float(np.mean(guesses == labels)), len(labels))
            cells = " | ".join(f"{each.value:.1%} ({each.low:.1%} to {each.high:.1%})" for each in right.values())
            print(f"| {name} | {cells} | {blank} | {1000 * spent / len(labels):.0f} |", flush=True)
    if options.sheet:
        Image.fromarray(np.vstack(rows)).save(options.sheet)


def _cell(image: Image.Image) -> np.ndarray:
    """A thumbnail of 84x84 pixels."""
    cell = np.zeros((84, 84), np.uint8)
    scale = 80 / max(image.size)
    small = image.resize((round(scale * image.width), round(scale * image.height)), Image.Resampling.BOX)
    cell[: small.height, : small.width] = np.asarray(small)
    return cell


if __name__ == "__main__":
    main()
