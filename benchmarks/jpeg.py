"""What JPEG costs: the accuracy of a recipe on images that are compressed once more.

    python benchmarks/jpeg.py FOLDER --data DATA
    python benchmarks/jpeg.py FOLDER --data DATA --seeds 2 --limit 1000 --set train.epochs=1

CIFAR-10 is at hand only as a copy whose images were compressed with JPEG once, at quality 75, with chroma at half the
resolution. The same is done to them once more, training and validation images alike. Compressing twice in the same
blocks of 8x8 pixels would change next to nothing, so the images are shifted by four pixels for it. The difference
between the two, in pairs by seed, estimates what the first compression has cost. The test images are not used.
"""

import argparse
import io
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from lenet_search import train
from lenet_search.data import load
from lenet_search.look.intervals import paired_by_seed
from lenet_search.recipe import Images

QUALITY = 75  # that of the copy, by its quantization tables
SHIFT = 4  # pixels: half a block
TOGETHER = 1000  # images that a process compresses at a time


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder for the runs")
    parser.add_argument("--data", type=Path, required=True, help="folder with cifar10.npz")
    parser.add_argument("--recipe", default="lenet5-cifar-tuned", help="a recipe (default: lenet5-cifar-tuned)")
    parser.add_argument("--seeds", type=int, default=16, help="seeds of each (default: 16)")
    parser.add_argument("--limit", type=int, help="use only the first n images")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a value; repeatable")
    return parser.parse_args()


def compressed(images: np.ndarray) -> np.ndarray:
    """Images, uint8 (n, H, W, 3), after JPEG."""
    found = np.empty_like(images)
    for place, image in enumerate(images):
        padded = np.pad(image, ((SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)), "edge")
        file = io.BytesIO()
        Image.fromarray(padded).save(file, "JPEG", quality=QUALITY)
        found[place] = np.asarray(Image.open(file).convert("RGB"))[SHIFT:-SHIFT, SHIFT:-SHIFT]
    return found


def main() -> None:
    """Train on both, and compare."""
    options = arguments()
    split = load(Images("cifar10", 0), options.data)
    x, y = split.x_train[: options.limit], split.y_train[: options.limit]
    with ProcessPoolExecutor() as processes:
        parts = np.array_split(x, max(1, len(x) // TOGETHER))
        again = np.concatenate(list(processes.map(compressed, parts)))
    changed = np.abs(again.astype(int) - x).mean()
    results = {}
    for name, images in (("once", x), ("twice", again)):
        training = train(
            options.recipe, options.seeds, data=(images, y), name=name, out=options.folder / name, overrides=options.set
        )
        results[name] = training.result
        print(f"compressed {name}: val_accuracy {training.result.mean('val_accuracy')}, n = {options.seeds} seeds")
    difference = paired_by_seed(*(results[name].values("val_accuracy") for name in ("once", "twice")), share=True)
    print(f"twice against once: {difference}, n = {difference.n} pairs; pixels changed by {changed:.2f} of 255")


if __name__ == "__main__":
    main()
