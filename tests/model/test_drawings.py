import numpy as np
import pytest
from pages import axes, on, papers, seven
from PIL import Image

from lenet_search.data.frame import Frame, box, mass
from lenet_search.model.drawings import find_drawing, framed
from lenet_search.model.paper import highest

MNIST = Frame(20, "mass")
SHAPE = (240, 320)
PLAIN = framed(find_drawing(seven()), MNIST, 28, 28)  # black on white, in the middle: what it should always look like


def likeness(image):
    """The correlation of what is found on a page with the plain seven; its center may be rounded to the next pixel."""
    drawing = find_drawing(image)
    assert drawing is not None
    found = framed(drawing, MNIST, 28, 28)
    moved = [np.roll(found, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return max(float(np.corrcoef(each.ravel(), PLAIN.ravel())[0, 1]) for each in moved)


def test_a_drawing_has_the_size_and_the_center_that_mnist_has():
    top, left, bottom, right = box(PLAIN)
    assert max(bottom - top, right - left) == 20
    assert mass(PLAIN) == pytest.approx((14, 14), abs=0.5)
    assert (PLAIN.min(), PLAIN.max()) == (0, 255)


@pytest.mark.parametrize("side", [28, 32])
def test_a_larger_field_has_the_same_drawing_with_more_around_it(side):
    field = framed(find_drawing(seven()), MNIST, side, side)
    more = (side - 28) // 2
    assert np.array_equal(field[more : more + 28, more : more + 28], PLAIN)


@pytest.mark.parametrize("name", papers(SHAPE))
@pytest.mark.parametrize("noise", [1.0, 8.0])
def test_paper_light_and_table_are_not_part_of_a_drawing(name, noise):
    assert likeness(on(papers(SHAPE)[name], at=(110, 60), side=80, noise=noise)) > 0.9


@pytest.mark.parametrize("name", papers(SHAPE))
def test_a_page_with_nothing_on_it_has_no_drawing_whatever_light_falls_on_it(name):
    for noise in (1.0, 8.0):
        paper = papers(SHAPE)[name]
        page = paper + np.random.default_rng(0).normal(0, noise, SHAPE)
        assert find_drawing(Image.fromarray(np.uint8(np.clip(page, 0, 255)))) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 3), (28, 28), (33, 57)])
@pytest.mark.parametrize("noise", [0, 10, 40])
def test_an_image_of_one_brightness_or_of_noise_has_no_drawing(shape, noise):
    for ground in (0, 128, 255):
        pixels = ground + np.random.default_rng(ground).normal(0, noise, shape)
        assert find_drawing(Image.fromarray(np.uint8(np.clip(pixels, 0, 255)))) is None


@pytest.mark.parametrize("size", [(28, 28), (280, 280), (1500, 2000)])
@pytest.mark.parametrize("place", ["corner", "middle", "far corner"])
@pytest.mark.parametrize("share", [0.15, 0.4])
def test_a_drawing_is_found_wherever_it_is_and_however_small(size, place, share):
    side = max(9, share * min(size))
    room = size[0] - side - 0.3 * side, size[1] - 1.4 * side - 0.3 * side
    where = {"corner": 0.05, "middle": 0.5, "far corner": 0.95}[place]
    image = seven(size, (0.15 * side + where * room[0], 0.15 * side + where * room[1]), side)
    assert likeness(image) > (0.75 if side < 12 else 0.9)


def test_light_strokes_on_a_dark_page_are_found_too():
    y, x = axes(SHAPE)
    assert likeness(on(50 + 20 * x + 10 * y, at=(110, 60), side=80, ink=210, noise=8)) > 0.9
    assert find_drawing(seven(ground=0, ink=255)).dark is False
    assert find_drawing(seven()).dark is True


def test_a_drawing_that_fills_the_page_or_is_cut_to_its_box_is_found():
    assert likeness(seven((200, 260), at=(20, 20), side=160)) > 0.95
    whole = seven()
    assert likeness(whole.crop(box_of(whole))) > 0.95


def box_of(image):
    top, left, bottom, right = box(255 - np.asarray(image))
    return left, top, right, bottom


def test_dust_is_not_part_of_a_drawing():
    pixels = np.array(seven())
    for row, column in ((10, 10), (250, 30), (20, 260), (270, 270)):
        pixels[row : row + 4, column : column + 4] = 0
    assert likeness(Image.fromarray(pixels)) > 0.98


def test_faint_pencil_is_read_and_fainter_noise_is_not():
    paper = np.full(SHAPE, 235.0)
    assert likeness(on(paper, at=(110, 60), side=80, ink=190, noise=6)) > 0.9
    assert find_drawing(on(paper, at=(110, 60), side=80, ink=231, noise=6)) is None


def test_a_speck_is_too_small_to_be_anything():
    pixels = np.full((100, 100), 255, np.uint8)
    pixels[40:44, 50:54] = 0
    assert find_drawing(Image.fromarray(pixels)) is None


def test_the_highest_of_a_window_is_the_highest_of_every_window():
    pixels = np.random.default_rng(0).normal(size=(9, 13))
    for reach in (1, 2, 3, 5, 20):
        slow = [
            [pixels[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1].max() for x in range(13)]
            for y in range(9)
        ]
        assert np.array_equal(highest(pixels, reach), slow)
