import errno
import io
import os
import struct
import warnings
import zlib
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from lenet_search.data.decode import FORMATS, ImageError, decode

GRAY = Image.fromarray(np.arange(0, 240, 10, dtype=np.uint8).reshape(4, 6))
COLOR = Image.merge("RGB", [GRAY, GRAY.transpose(Image.Transpose.ROTATE_180), Image.new("L", (6, 4), 90)])


def decoded(tmp_path, image, format="PNG", **options):
    path = tmp_path / f"image.{format.lower()}"
    image.save(path, format, **options)
    return decode(path)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("image", [GRAY, COLOR], ids=["gray", "color"])
def test_every_format_gives_gray_or_color(tmp_path, format, image):
    found = decoded(tmp_path, image, format, **({"lossless": True} if format == "WEBP" else {}))
    if format == "GIF":  # gray is a palette there
        found = found.convert(image.mode)
    assert (found.mode, found.size) == ("RGB" if format == "WEBP" else image.mode, image.size)
    off = np.abs(np.asarray(found.convert("RGB"), int) - np.asarray(image.convert("RGB"), int))
    assert off.max() <= (60 if format == "JPEG" else 0)


@pytest.mark.parametrize("mode", ["1", "LA", "P", "RGBA", "CMYK", "YCbCr"])
def test_every_mode_gives_eight_bits_of_gray_or_color(tmp_path, mode):
    found = decoded(tmp_path, COLOR.convert(mode), "TIFF")
    assert found.mode == ("L" if mode == "1" else "RGB")


@pytest.mark.parametrize(
    ("values", "format"),
    [
        (np.uint16([[0, 257], [128 * 257, 65535]]), "PNG"),
        (np.uint16([[0, 257], [128 * 257, 65535]]), "TIFF"),
        (np.int32([[0, 257], [128 * 257, 65535]]), "TIFF"),
        (np.float32([[0, 1 / 255], [128 / 255, 1]]), "TIFF"),
        (np.float32([[0, 1], [128, 255]]), "TIFF"),
    ],
)
def test_more_bits_per_pixel_become_eight(tmp_path, values, format):
    assert np.asarray(decoded(tmp_path, Image.fromarray(values), format)).tolist() == [[0, 1], [128, 255]]


@pytest.mark.parametrize("value", [-1.0, 70000.0, np.nan])
def test_values_that_are_no_brightness_are_named(tmp_path, value):
    with pytest.raises(ImageError, match=r"its values are from .*: save it with 8 or 16 bits per channel"):
        decoded(tmp_path, Image.fromarray(np.float32([[0, value]])), "TIFF")


@pytest.mark.parametrize(("ink", "ground"), [("black", 255), ("blue", 255), ("white", 0), ("yellow", 0)])
def test_nothing_is_white_or_black_whichever_shows_what_is_drawn_on_it(tmp_path, ink, ground):
    drawing = Image.new("RGBA", (5, 5), (0, 0, 0, 0))
    drawing.paste(Image.new("RGBA", (1, 3), ink), (2, 1))
    found = decoded(tmp_path, drawing)
    assert found.getpixel((0, 0)) == (ground,) * 3
    assert found.getpixel((2, 2)) != (ground,) * 3


def test_an_image_of_nothing_is_white(tmp_path):
    assert decoded(tmp_path, Image.new("RGBA", (2, 2), (255, 255, 255, 0))).getpixel((0, 0)) == (255, 255, 255)


def test_a_camera_that_was_turned_gives_an_upright_image(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn it by 90 degrees clockwise to see it upright
    assert decoded(tmp_path, GRAY, "JPEG", exif=exif).size == (4, 6)


@pytest.mark.parametrize("format", ["GIF", "TIFF", "WEBP", "PNG"])
def test_of_several_frames_it_is_the_first(tmp_path, format):
    found = decoded(tmp_path, COLOR, format, save_all=True, append_images=[Image.new("RGB", (6, 4), "white")])
    assert np.asarray(found.convert("RGB")).min() < 200


def test_the_content_counts_and_not_the_ending(tmp_path):
    GRAY.save(tmp_path / "a.jpg", "PNG")
    assert np.array_equal(decode(tmp_path / "a.jpg"), GRAY)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"some text", "format is unknown"), (b"\x89PNG\r\n\x1a\n", "")],
)
def test_what_is_no_image_is_said_to_be_none(tmp_path, content, said):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ImageError, match=rf"a\.png: not a readable image \(.*{said}.*\); expected a complete PNG, JP"):
        decode(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the file is empty"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "it is PostScript: export the page as PNG"),
        (b"%PDF-1.7\n", "it is PDF: export the page as PNG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "it is HEIC, an iPhone's format: save or export it as PNG or JPEG"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "it is SVG, a drawing of lines: export"),
        (b"<!DOCTYPE html><HTML>", "it is a web page: download the image itself"),
        (b"PK\x03\x04", "it is a ZIP archive or office document: unpack it"),
    ],
)
def test_what_people_take_for_an_image_is_named_with_what_to_do(tmp_path, content, said):
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ImageError, match=rf"a\.png: not a readable image: {said}"):
        decode(tmp_path / "a.png")


def test_a_file_that_may_not_be_read_is_said_so(tmp_path, monkeypatch):
    GRAY.save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "open", Mock(side_effect=PermissionError(errno.EACCES, "Permission denied", "a.png")))
    with pytest.raises(ImageError, match=r"a\.png: cannot be read: permission denied$"):
        decode(tmp_path / "a.png")


def test_a_pipe_a_folder_and_a_name_that_is_not_utf_8_are_errors_that_can_be_shown(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "folder.png"):
        with pytest.raises(ImageError, match=rf"{name}: expected a file"):
            decode(tmp_path / name)
    with pytest.raises(ImageError, match="there is no such file") as caught:
        decode(tmp_path / os.fsdecode(b"caf\xe9.png"))
    assert r"caf\xe9.png" in str(caught.value)


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def test_a_small_file_that_promises_a_huge_image_is_refused(tmp_path):
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0))
    content = chunk(b"IDAT", zlib.compress(bytes(10**6)))
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + content + chunk(b"IEND", b""))
    with pytest.raises(ImageError, match=r"bomb\.png: the image is too large: .*; make it smaller"):
        decode(tmp_path / "bomb.png")


def whole(format):
    content = io.BytesIO()
    COLOR.save(content, format)
    return content.getvalue()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(format=st.sampled_from(FORMATS), drawn=st.data())
def test_a_damaged_file_is_an_error_of_ours_or_is_read(tmp_path, format, drawn):
    content = bytearray(whole(format))
    for _ in range(drawn.draw(st.integers(1, 4))):
        content[drawn.draw(st.integers(0, len(content) - 1))] = drawn.draw(st.integers(0, 255))
    (tmp_path / "a").write_bytes(content[: drawn.draw(st.integers(0, len(content)) | st.just(len(content)))])
    with warnings.catch_warnings(record=True) as warned:
        try:
            assert decode(tmp_path / "a").mode in ("L", "RGB")
        except ImageError as error:
            assert str(error).startswith(f"{tmp_path / 'a'}: ")
    assert not warned


@pytest.mark.parametrize(("mode", "top"), [("i4", 255), ("i4", 65535), ("u2", 65535), ("f4", 1.0), ("f4", 255.0)])
def test_a_gray_image_is_the_same_whatever_number_of_bits_it_has(tmp_path: Path, mode: str, top: float) -> None:
    plain = np.linspace(0, 255, 64).round().reshape(8, 8)
    Image.fromarray((plain * (top / 255)).astype(mode)).save(tmp_path / "image.tif")
    np.testing.assert_allclose(np.asarray(decode(tmp_path / "image.tif"), float), plain, atol=1)


@pytest.mark.parametrize(
    ("format", "mode", "side"),
    [("PNG", "RGB", 6000), ("PNG", "RGBA", 5000), ("PNG", "P", 5000), ("WEBP", "RGB", 3600), ("TIFF", "RGB", 5000)],
)
def test_a_small_file_of_many_pixels_is_refused_before_it_is_unpacked(tmp_path, format, mode, side):
    compression = {"compression": "tiff_deflate"} if format == "TIFF" else {}
    with pytest.raises(ImageError, match=rf"is too large: it has {side}x{side} pixels; make it smaller"):
        decoded(tmp_path, Image.new(mode, (side, side)), format, **compression)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P", "1", "LA", "I;16"])
def test_a_large_image_is_made_smaller_before_anything_else(tmp_path, mode):
    left, size, white = Image.new("L", (3000, 2400), 0), (3000, 2400), 255 if mode == "1" else 200
    left.paste(white, (1500, 0, 3000, 2400))
    image = left.convert("L" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(np.asarray(left, np.uint16) * 257)
    found = decoded(tmp_path, image)
    assert found.width * found.height <= 2**22 < size[0] * size[1]
    assert found.width * 2400 == found.height * 3000
    pixels = np.asarray(found.convert("L"))
    assert (pixels[:, 0] == 0).all()
    assert (pixels[:, -1] == white).all()


def test_a_large_photo_is_read_at_a_fraction_of_its_size_and_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    found = decoded(tmp_path, Image.new("RGB", (8000, 4000), (9, 9, 200)), "JPEG", exif=exif)
    assert found.height == 2 * found.width
    assert found.width * found.height <= 2**22
