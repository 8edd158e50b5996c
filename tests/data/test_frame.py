import numpy as np
import pytest
from PIL import Image, ImageDraw

from lenet_search.data import DATASETS
from lenet_search.data.frame import Frame, box, mass


def triangles(n=60, side=20, size=28, *, by="mass", seed=0):
    """White triangles on black, (n, size, size, 1): their longer side has `side` pixels, all in one frame."""
    rng = np.random.default_rng(seed)
    images = np.zeros((n, size, size, 1), np.uint8)
    for image in images:
        drawn = Image.new("L", (side, side))
        a, b, c = (int(at) for at in rng.integers(side, size=3))
        corners = [(0, a), (side - 1, b), (c, side - 1)]
        ImageDraw.Draw(drawn).polygon(corners, fill=255)
        ink = np.asarray(drawn)
        top, left, bottom, right = box(ink)
        ink = ink[top:bottom, left:right]
        at = mass(ink) if by == "mass" else (ink.shape[0] / 2, ink.shape[1] / 2)
        row, column = (round(size / 2 - each) for each in at)
        image[row : row + ink.shape[0], column : column + ink.shape[1], 0] = ink
    return images


@pytest.mark.parametrize("by", ["mass", "box"])
@pytest.mark.parametrize(("side", "size"), [(20, 28), (16, 32)])
def test_a_data_set_made_as_mnist_is_known_by_its_images(by, side, size):
    images = triangles(side=side, size=size, by=by)
    assert Frame.of(images) == Frame(side, by)
    assert Frame.of(255 - images) == Frame(side, by)  # black on white


def test_images_without_a_common_frame_have_none():
    rng = np.random.default_rng(1)
    framed = triangles()
    places = np.stack([np.roll(image, rng.integers(-4, 5, 2), (0, 1)) for image in framed])
    sizes = np.concatenate([triangles(side=side) for side in (10, 14, 18)])
    clothes = np.zeros((60, 28, 28, 1), np.uint8)
    clothes[:, :, 6:-6] = 200  # they fill the height, as in Fashion-MNIST
    photographs = rng.integers(0, 256, (60, 28, 28, 1), np.uint8)
    for images in (places, sizes, clothes, photographs, np.zeros_like(framed), np.repeat(framed, 3, axis=3)):
        assert Frame.of(images) is None


def test_the_digits_that_come_along_fill_their_images_and_have_no_frame():
    x = np.asarray(DATASETS["digits"].read()["x_train"])
    assert Frame.of(x.reshape(*x.shape[:3], 1)) is None


def test_a_frame_survives_json_and_anything_else_is_none():
    assert Frame.from_json(Frame(20, "mass").to_json()) == Frame(20, "mass")
    for raw in (None, {}, [], "mass", {"side": 0, "by": "mass"}, {"side": 20, "by": "eye"}, {"side": "x", "by": "box"}):
        assert Frame.from_json(raw) is None
