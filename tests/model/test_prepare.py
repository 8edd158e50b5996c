import numpy as np
import pytest
from pages import seven
from PIL import Image, ImageCms

from lenet_search.data.frame import Frame, box, mass
from lenet_search.model.drawings import find_drawing, framed
from lenet_search.model.prepare import Form, prepare

MNIST = Form(28, 28, 1, "dark", Frame(20, "mass"))
CLOTHES = Form(28, 28, 1, "dark")
PHOTOGRAPHS = Form(32, 32, 3, "")


def saved(folder, image, name="a.png", **options):
    path = folder / name
    image.save(path, **options)
    return path


def seen(folder, image, form=MNIST, name="a.png", **options):
    found = prepare(saved(folder, image, name), form, **options)
    return found.pixels, found.changes


def test_what_a_person_sees_is_what_a_model_sees_whatever_lies_below_the_strokes(tmp_path):
    expected, _ = seen(tmp_path, seven())
    nothing = (0, 0, 0, 0)
    for image, changes in (
        (seven(mode="RGBA", ground=nothing, ink=(0, 0, 0, 255)), ("inverted", "centered")),
        (seven(mode="RGBA", ground=nothing, ink=(255, 255, 255, 255)), ("centered",)),
        (seven(mode="RGBA", ground=(255, 255, 255, 0), ink=(255, 255, 255, 255)), ("centered",)),
        (seven(mode="LA", ground=(0, 0), ink=(255, 255)), ("centered",)),
        (seven(ground=0, ink=255), ("centered",)),
        (seven(ground=255, ink=0), ("inverted", "centered")),
    ):
        pixels, told = seen(tmp_path, image)
        assert np.array_equal(pixels, expected)
        assert told == (*changes, "280x280 to 28x28")


# The modes that files can hold, and a format of each. La, PA, RGBa and HSV are of Pillow's memory alone.
MODES = {
    "1": ".png", "L": ".png", "LA": ".png", "P": ".png", "RGB": ".png", "RGBA": ".png", "RGBX": ".tif", "CMYK": ".jpg",
    "YCbCr": ".jpg", "LAB": ".tif", "I": ".tif", "I;16": ".png", "I;16B": ".tif", "F": ".tif",
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_a_drawing_looks_alike_in_every_mode_in_which_a_file_can_hold_it(mode, tmp_path):
    image = seven()
    if mode == "I;16B":
        image = Image.frombytes(mode, image.size, (np.asarray(image).astype(np.uint16) * 257).astype(">u2").tobytes())
    elif mode.startswith("I"):
        image = Image.fromarray(np.asarray(image).astype(np.int32 if mode == "I" else np.uint16) * 257)
    elif mode == "LAB":
        image = ImageCms.profileToProfile(
            image.convert("RGB"), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
        )
    else:
        image = (image.convert("RGB") if mode == "RGBX" else image).convert(mode)
    path = saved(tmp_path, image, "a" + MODES[mode])
    expected, _ = seen(tmp_path, seven(), name="plain.png")
    found = prepare(path, MNIST).pixels
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.98


def test_a_palette_with_a_transparent_entry_is_read(tmp_path):
    image = Image.new("P", (280, 280), 1)
    image.putpalette([255, 255, 255, 255, 255, 255])  # both white; what is not drawn is transparent
    image.paste(0, mask=seven(ground=0, ink=255))
    path = saved(tmp_path, image, transparency=1)
    expected, _ = seen(tmp_path, seven(), name="plain.png")
    assert np.array_equal(prepare(path, MNIST).pixels, expected)


def test_an_image_of_the_training_set_s_own_form_is_not_touched(tmp_path):
    own = framed(find_drawing(seven(at=(100, 60), side=90, width=0.3)), MNIST.frame, 28, 28)
    own[mass(own)[0].__ceil__() + 12 :] = 0  # as in MNIST, nothing touches the border
    pixels, changes = seen(tmp_path, Image.fromarray(np.uint8(own)))
    assert np.array_equal(pixels[..., 0], np.uint8(own))
    assert changes == ()
    turned, changes = seen(tmp_path, Image.fromarray(255 - np.uint8(own)))
    assert np.array_equal(turned, pixels)
    assert changes == ("inverted",)


def test_a_small_drawing_in_the_model_s_own_size_is_brought_to_the_frame(tmp_path):
    pixels, changes = seen(tmp_path, seven((28, 28), at=(2, 3), side=8))
    top, left, bottom, right = box(pixels[..., 0])
    assert max(bottom - top, right - left) == 20
    assert changes == ("inverted", "centered")


def test_thirty_two_pixels_are_mnist_s_with_two_more_around_them(tmp_path):
    small, _ = seen(tmp_path, seven())
    large, _ = seen(tmp_path, seven(), MNIST._replace(height=32, width=32))
    assert np.array_equal(large[2:-2, 2:-2], small)


def test_a_model_of_dark_ink_on_white_sees_it_so(tmp_path):
    dark, _ = seen(tmp_path, seven())
    light, changes = seen(tmp_path, seven(), MNIST._replace(background="light"))
    assert np.array_equal(light, 255 - dark)
    assert changes == ("centered", "280x280 to 28x28")


def test_centering_is_for_models_whose_images_were_centered_unless_asked_for(tmp_path):
    centered, _ = seen(tmp_path, seven())
    whole, changes = seen(tmp_path, seven(), CLOTHES)
    assert changes == ("inverted", "280x280 to 28x28")
    assert not np.array_equal(whole, centered)
    assert np.array_equal(seen(tmp_path, seven(), center=False)[0], whole)
    assert np.array_equal(seen(tmp_path, seven(), CLOTHES, center=True)[0], centered)


def test_inverting_can_be_forbidden_and_forced(tmp_path):
    assert seen(tmp_path, seven(ground=0, ink=255), invert=False)[1] == ("centered", "280x280 to 28x28")
    assert seen(tmp_path, seven(), invert=True)[1] == ("inverted", "centered", "280x280 to 28x28")
    assert seen(tmp_path, seven(), invert=False) == (None, ())  # light ink is asked for, and there is none


@pytest.mark.parametrize("form", [MNIST, CLOTHES, CLOTHES._replace(background="light"), PHOTOGRAPHS])
@pytest.mark.parametrize("size", [(1, 1), (28, 28), (1, 5000), (5000, 1), (300, 200)])
def test_an_image_of_one_brightness_is_blank_for_every_model(form, size, tmp_path):
    for brightness in (0, 130, 255):
        assert seen(tmp_path, Image.new("L", size, brightness), form) == (None, ())
    assert seen(tmp_path, Image.new("RGBA", size, (255, 255, 255, 0)), form) == (None, ())


def test_of_an_animation_and_of_pages_the_first_is_used_and_it_is_said(tmp_path):
    frames = {"save_all": True, "append_images": [Image.new("L", (280, 280), 255), seven(side=40)]}
    for name, what in (("a.gif", "frames"), ("a.png", "frames"), ("a.webp", "frames"), ("a.tif", "pages")):
        found = prepare(saved(tmp_path, seven(), name, **frames), MNIST)
        assert found.changes == (f"the first of several {what}", "inverted", "centered", "280x280 to 28x28")


def test_images_of_a_folder_are_fitted_in_whole_as_those_of_the_training_set_were(tmp_path):
    wide = Image.new("RGB", (64, 32), "red")
    wide.paste("blue", (0, 0, 8, 32))
    assert seen(tmp_path, wide, PHOTOGRAPHS)[0][16, 0, 0] > 200  # cropped: the blue edge is gone
    assert seen(tmp_path, wide, PHOTOGRAPHS._replace(whole=True))[0][16, 0, 2] > 200


def test_a_picture_of_twenty_megapixels_takes_a_bounded_memory(tmp_path):
    import tracemalloc

    path = saved(tmp_path, seven((5000, 4000), at=(1000, 900), side=1200))
    tracemalloc.start()
    assert prepare(path, MNIST).pixels is not None
    assert tracemalloc.get_traced_memory()[1] < 40e6  # of NumPy and Python; Pillow holds the decoded image
    tracemalloc.stop()
