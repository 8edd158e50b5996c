import json
import os
from pathlib import Path

import pytest
from calls import call
from PIL import Image
from rich.console import Console

from lenet_search.cli.predict import _show_guesses, shortened
from lenet_search.model.predict import Guess

LONG = Path("/home/somebody/pictures/2026/autumn holidays/second week", "x" * 50, "seven of the first page.png")
GUESSES = [
    Guess(Path("seven.png"), ("7", "1", "9"), (0.9, 0.07, 0.03), ("inverted", "centered", "3000x4000 to 28x28")),
    Guess(LONG, ("ankle_boot", "[red]sneaker", "sandal"), (1.0, 1e-5, 0.0), ("280x280 to 28x28",)),
    Guess(Path("nothing.png"), (), (), ()),
]


def printed(width):
    out = Console(width=width, markup=False, emoji=False, highlight=False)
    with out.capture() as captured:
        _show_guesses(GUESSES, out)
    return captured.get()


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
def test_the_table_fits_every_terminal_and_begins_with_the_class(width):
    lines = printed(width).splitlines()
    assert max(map(len, lines)) <= width
    first = next(line for line in lines if "seven.png" in line)
    assert first.split()[:4] == ["7", "90.0", "%", "seven.png"]
    assert next(line for line in lines if "nothing.png" in line).split() == ["blank", "nothing.png"]
    assert any("…" in line and ".png" in line for line in lines)  # the long path is on one line, without its middle


def test_at_80_columns_nothing_is_broken_within_a_word():
    text = printed(80)
    for words in ("ankle_boot", "then 1 7.0 %, 9 3.0 %", "inverted, centered, 3000x4000 to 28x28", "> 99.9 %"):
        assert words in text
    assert "[red]sneaker < 0.1 %" in text


def test_a_path_is_shortened_in_the_middle():
    assert shortened("short.png", 20) == "short.png"
    assert shortened("a/very/long/path/seven.png", 16) == "a/ver…/seven.png"


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's predict with NumPy 2
def test_one_bad_path_never_stops_the_rest_whatever_its_name_is(capfd):
    import keras

    layers = [keras.layers.AveragePooling2D((4, 8)), keras.layers.Flatten(), keras.layers.Softmax()]
    keras.Sequential([keras.Input((8, 8, 1)), *layers]).save("model.keras")
    bar = Image.new("L", (8, 8))
    bar.paste(255, (1, 5, 7, 7))
    for folder in ("plain", "classes/1", "classes/.ipynb_checkpoints", "others/cat", "empty"):
        Path(folder).mkdir(parents=True)
        bar.save(f"{folder}/a.png") if folder != "empty" else None
    bar.save(os.fsdecode(b"plain/\xca\xfd\xd7\xd67.png"))
    Image.new("L", (8, 8), 200).save("plain/blank.png")
    Path("broken.png").write_bytes(b"")

    arguments = ("empty", "plain", "broken.png", "others", "classes", "*.tif")
    failed = call("predict", "model.keras", *arguments, "--json", "--save-inputs", "seen")
    assert failed.exit_code == 2
    found = json.loads(failed.stdout)
    assert [(Path(each["image"]).name, each["class"], each["blank"]) for each in found["images"]] == [
        ("a.png", "1", False),
        ("blank.png", None, True),
        (b"\xca\xfd\xd7\xd67.png".decode(errors="replace"), "1", False),
    ]
    assert [(each["folder"], each["n"], each["accuracy"]) for each in found["folders"]] == [("classes", 1, 1.0)]
    for problem in (
        "empty: there are no images",
        "broken.png: not a readable image: the file is empty",
        "others: expected subfolders named after the model's classes",
        "*.tif: no file matches",
    ):
        assert any(each.startswith(problem) for each in found["problems"])
        assert problem in failed.stderr
    failed.stderr.encode()  # it can be printed
    assert len(list(Path("seen").iterdir())) == 3
    assert found["images"][0]["input"] == "seen/a.png"
