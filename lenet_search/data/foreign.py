"""Files that people take for readable images: their formats, told by the first bytes, and what to do with them."""

from pathlib import Path

CONVERT = "save or export it as PNG or JPEG"
_PHONE = ("HEIC, an iPhone's format", f"{CONVERT}, or set the camera to Most Compatible")
# A mark of each format, where it is, and its name and the remedy.
_MARKS: tuple[tuple[int, bytes, tuple[str, str]], ...] = (
    (4, b"ftypheic", _PHONE),
    (4, b"ftypheix", _PHONE),
    (4, b"ftyphevc", _PHONE),
    (4, b"ftypmif1", _PHONE),
    (4, b"ftypmsf1", _PHONE),
    (4, b"ftypavif", ("AVIF", CONVERT)),
    (4, b"ftyp", ("a video", "save one of its frames as PNG or JPEG")),
    (0, b"%PDF", ("PDF", "export the page as PNG, for example with pdftoppm -png")),
    (0, b"%!PS", ("PostScript", "export the page as PNG")),
    (0, b"8BPS", ("Photoshop", CONVERT)),
    (0, b"\xff\x0a", ("JPEG XL", CONVERT)),
    (0, b"\x00\x00\x00\x0cJXL ", ("JPEG XL", CONVERT)),
    (0, b"\x00\x00\x00\x0cjP  ", ("JPEG 2000", CONVERT)),
    (0, b"\x00\x00\x01\x00", ("an icon", CONVERT)),
    (0, b"PK\x03\x04", ("a ZIP archive or office document", "unpack it, or export its images as PNG or JPEG")),
    (0, b"\x1f\x8b", ("compressed with gzip", "unpack it")),
    (0, b"\x93NUMPY", ("a NumPy array", "save it with PIL.Image.fromarray(array).save('image.png')")),
)
_TEXT = (b"<svg", "SVG, a drawing of lines", "export it as PNG"), (b"<html", "a web page", "download the image itself")
SUFFIXES = (".heic", ".heif", ".avif", ".jxl", ".jp2", ".svg", ".psd")  # of images, in any case


def foreign(path: Path) -> str | None:
    """What a file is and what to do with it: "PDF: export the page as PNG"; None if its first bytes do not say."""
    try:
        with path.open("rb") as file:
            start = file.read(1024)
    except OSError:
        return None
    if not start:
        return "the file is empty: copy or download it again"
    for place, mark, (name, remedy) in _MARKS:
        if start[place:].startswith(mark):
            return f"it is {name}: {remedy}"
    text = start.lower()
    for tag, name, remedy in _TEXT:
        if tag in text:
            return f"it is {name}: {remedy}"
    return None
