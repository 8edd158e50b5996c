import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lenet_search.data.decode import ImageError
from lenet_search.data.frame import Frame
from lenet_search.errors import ResultError
from lenet_search.look.intervals import share_of
from lenet_search.model import predict as module
from lenet_search.model.predict import Options, measure, predict
from lenet_search.model.predictor import Predictor, open_model
from lenet_search.model.prepare import Form
from lenet_search.model.prepare import prepare as prepare_form
from lenet_search.model.saved import SavedInputs

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras with NumPy 2


@pytest.fixture(scope="module")
def bands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of three classes that says which third of a 30x30 grey image is brightest."""
    import keras

    path = tmp_path_factory.mktemp("model") / "model.keras"
    layers = [keras.layers.AveragePooling2D((10, 30)), keras.layers.Flatten(), keras.layers.Softmax()]
    keras.Sequential([keras.Input((30, 30, 1)), *layers]).save(path)
    images = {"class_names": ["top", "middle", "bottom"], "mean": [0.1]}
    path.with_name("recipe.json").write_text(json.dumps({"images": images}))
    return path


@pytest.fixture
def predictor(bands: Path) -> Predictor:
    return open_model(bands)


def prepare(path: Path, predictor: Predictor, **options: bool | None) -> tuple[np.ndarray, tuple[str, ...]]:
    pixels, changes = prepare_form(path, predictor.form, **options)
    assert pixels is not None
    return pixels, changes


def bar(place: int, side: int = 30, *, ground: int = 0, ink: int = 255) -> np.ndarray:
    """A square image with a bar in its top, middle or bottom third."""
    pixels = np.full((side, side), ground, np.uint8)
    third = side // 3
    pixels[third * place + third // 4 : third * (place + 1) - third // 4, side // 6 : -side // 6] = ink
    return pixels


def saved(path: Path, pixels: np.ndarray, **more: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **more)
    return path


def test_an_image_of_the_model_s_own_kind_is_left_as_it_is(tmp_path: Path, predictor: Predictor) -> None:
    pixels, done = prepare(saved(tmp_path / "a.png", bar(1)), predictor)
    assert np.array_equal(pixels[..., 0], bar(1))
    assert pixels.shape == (30, 30, 1)
    assert done == ()


def test_three_classes_come_with_their_probabilities_the_best_first(tmp_path: Path, predictor: Predictor) -> None:
    paths = [saved(tmp_path / f"{place}.png", bar(place)) for place in range(3)]
    guesses, problems = predict(paths, predictor)
    assert [guess.classes[0] for guess in guesses] == ["top", "middle", "bottom"]
    assert all(sum(guess.probabilities) == pytest.approx(1.0) for guess in guesses)
    assert list(guesses[0].probabilities) == sorted(guesses[0].probabilities, reverse=True)
    assert not problems


def test_dark_on_light_is_inverted_and_its_paper_made_black(tmp_path: Path, predictor: Predictor) -> None:
    pixels, done = prepare(saved(tmp_path / "a.png", bar(2, ground=190, ink=40)), predictor)
    assert done == ("inverted",)
    assert np.array_equal(pixels[..., 0], bar(2))


def test_inversion_can_be_forced_or_forbidden(tmp_path: Path, predictor: Predictor) -> None:
    dark, light = saved(tmp_path / "a.png", bar(0)), saved(tmp_path / "b.png", bar(0, ground=255, ink=0))
    assert prepare(light, predictor, invert=False)[1] == ()
    assert prepare(dark, predictor, invert=True)[1] == ("inverted",)


def test_a_model_of_dark_drawings_has_light_ones_inverted(tmp_path: Path, predictor: Predictor) -> None:
    paper = Predictor(predictor.model, predictor.names, Form(30, 30, 1, "light"))
    assert prepare(saved(tmp_path / "a.png", bar(0)), paper)[1] == ("inverted",)
    assert prepare(saved(tmp_path / "b.png", bar(0, ground=255, ink=0)), paper)[1] == ()


def test_colour_size_and_shape_are_fitted_and_said(tmp_path: Path, predictor: Predictor) -> None:
    wide = np.zeros((90, 180, 3), np.uint8)
    wide[60:80, 60:120] = (255, 220, 200)
    pixels, done = prepare(saved(tmp_path / "a.jpg", wide), predictor)
    assert done == ("converted to gray", "180x90 to 30x30")
    assert pixels[:7].max() < 30  # 90 rows of 180 became the 15 in the middle, the ground goes on around them
    assert pixels[18:20, 11:19].min() > 200


def test_a_photograph_is_cropped_and_never_inverted(tmp_path: Path) -> None:
    import keras

    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:, 20:60] = 255
    pixels, done = prepare(saved(tmp_path / "a.png", picture), Predictor(model, ("a", "b"), Form(8, 8, 3, "")))
    assert done == ("80x40 to 8x8",)
    assert pixels.shape == (8, 8, 3) and pixels.min() > 230  # the square in the middle


def test_logits_become_probabilities() -> None:
    import keras

    model = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3)])
    found = Predictor(model, tuple("abc"), Form(8, 8, 1, "dark")).classify(np.ones((2, 8, 8, 1), np.float32))
    assert found.sum(axis=1) == pytest.approx(1.0)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "1", "I;16", "CMYK"])
def test_pictures_of_every_kind_come_out_alike(mode: str, tmp_path: Path, predictor: Predictor) -> None:
    image = Image.fromarray(bar(1))
    if mode == "I;16":
        image = Image.fromarray(bar(1).astype(np.uint16) * 257)
    elif mode in ("RGBA", "LA"):  # black ink on nothing: on white paper
        image = Image.merge("LA", (Image.new("L", (30, 30)), image)).convert(mode)
    else:
        image = image.convert(mode)
    path = tmp_path / ("a.jpg" if mode == "CMYK" else "a.png")
    image.save(path)
    guesses, _ = predict([path], predictor)
    assert guesses[0].classes[0] == "middle"


def test_a_picture_that_lies_on_its_side_is_set_upright(tmp_path: Path, predictor: Predictor) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3  # turned by 180 degrees
    path = saved(tmp_path / "a.jpg", bar(0), exif=exif)
    assert predict([path], predictor)[0][0].classes[0] == "bottom"


def test_what_cannot_be_read_is_named_and_the_rest_still_runs(tmp_path: Path, predictor: Predictor) -> None:
    good = saved(tmp_path / "good.png", bar(0))
    half, text = tmp_path / "half.png", tmp_path / "text.jpg"
    half.write_bytes(good.read_bytes()[:-30])
    text.write_text("no image")
    guesses, problems = predict([half, good, text, tmp_path / "gone.png"], predictor)
    assert [guess.path for guess in guesses] == [good]
    assert [problem.split(":")[0] for problem in problems] == [str(half), str(text), str(tmp_path / "gone.png")]
    assert "expected a complete PNG, JPEG" in problems[1]
    assert "there is no such file" in problems[2]


def test_an_image_that_would_fill_the_memory_is_refused(
    tmp_path: Path, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path / "a.png", bar(0))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 800)
    with pytest.raises(ImageError, match=r"a\.png: the image is too large"):
        prepare(path, predictor)


def test_a_folder_per_class_gives_an_accuracy_with_its_interval(tmp_path: Path, predictor: Predictor) -> None:
    for number, (name, place) in enumerate([("top", 0), ("Middle", 1), ("2", 2), ("2", 0)]):
        saved(tmp_path / name / f"{number}.png", bar(place, ground=255, ink=0))
    (tmp_path / "top" / "broken.png").write_text("")
    found = measure(tmp_path, predictor)
    assert found.evaluation.confusion.tolist() == [[1, 0, 0], [0, 1, 0], [1, 0, 1]]
    assert found.evaluation.accuracy == share_of(0.75, 4)
    assert found.inverted == 4
    assert len(found.problems) == 1


def test_a_folder_that_is_no_class_is_named_with_those_that_are(tmp_path: Path, predictor: Predictor) -> None:
    saved(tmp_path / "left" / "a.png", bar(0))
    with pytest.raises(ResultError, match=r"named after the model's classes, top, middle, .*; received left"):
        measure(tmp_path, predictor)


def test_what_a_notebook_leaves_in_a_folder_is_no_class(tmp_path: Path, predictor: Predictor) -> None:
    saved(tmp_path / "top" / "a.png", bar(0))
    saved(tmp_path / ".ipynb_checkpoints" / "a-checkpoint.png", bar(0))
    assert measure(tmp_path, predictor).evaluation.accuracy.n == 1


def test_without_a_recipe_classes_are_numbers_and_it_is_said_so(bands: Path, tmp_path: Path) -> None:
    alone = tmp_path / "model.keras"
    alone.write_bytes(bands.read_bytes())
    predictor = open_model(alone)
    assert predictor.names == ("0", "1", "2")
    assert predictor.form == Form(30, 30, 1, "dark")
    assert "no recipe.json next to" in predictor.remarks[0]
    assert open_model(alone, "mnist").remarks == []


def test_the_recipe_beside_a_model_names_the_classes_and_the_ground(predictor: Predictor) -> None:
    assert (predictor.names, predictor.form.background, predictor.remarks) == (("top", "middle", "bottom"), "dark", [])


def test_a_model_of_something_else_than_images_is_refused(tmp_path: Path) -> None:
    import keras

    path = tmp_path / "model.keras"
    keras.Sequential([keras.Input((7,)), keras.layers.Dense(2)]).save(path)
    with pytest.raises(ResultError, match="expected a model that takes images"):
        open_model(path)


def test_a_blank_image_has_no_class_and_leaves_nothing_to_save(tmp_path: Path, predictor: Predictor) -> None:
    paths = [saved(tmp_path / "blank.png", bar(0, ink=0)), saved(tmp_path / "bar.png", bar(1))]
    guesses, problems = predict(paths, predictor, Options(save=SavedInputs(tmp_path / "seen")))
    assert [(guess.blank, guess.classes[:1]) for guess in guesses] == [(True, ()), (False, ("middle",))]
    assert [guess.saved for guess in guesses] == [None, tmp_path / "seen" / "bar.png"]
    assert not problems


def test_many_images_are_read_a_batch_at_a_time(
    tmp_path: Path, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BATCH", 2)
    sizes: list[int] = []
    classify = predictor.classify
    monkeypatch.setattr(predictor, "classify", lambda images: (sizes.append(len(images)), classify(images))[1])
    paths = [saved(tmp_path / f"{place}.png", bar(place)) for place in range(3)]
    blank, told = saved(tmp_path / "blank.png", bar(0, ink=0)), []
    asked = [*paths, paths[0], blank, tmp_path / "gone.png", blank]
    guesses, problems = predict(asked, predictor, Options(tell=told.append))
    assert [guess.classes[:1] for guess in guesses] == [("top",), ("middle",), ("bottom",), ("top",), (), ()]
    assert sizes == [2, 2]
    assert (told, len(problems)) == (asked, 1)


def test_what_is_nobodys_class_does_not_count_and_it_is_said(tmp_path: Path, predictor: Predictor) -> None:
    for name, place in (("top", 0), ("left", 1), (".ipynb_checkpoints", 1), ("__MACOSX", 1)):
        saved(tmp_path / name / "a.png", bar(place))
    saved(tmp_path / "loose.png", bar(0))
    saved(tmp_path / "top" / "blank.png", bar(0, ink=0))
    found = measure(tmp_path, predictor)
    assert found.evaluation.accuracy == share_of(0.5, 2)  # a blank image is not recognized as its class
    assert (found.blank, int(found.evaluation.confusion.sum())) == (1, 1)
    left, classes, loose = found.notes
    assert left == f"{tmp_path / 'left'}: not a class of the model; its 1 images do not count"
    assert classes == "The classes are top, middle, bottom, or a number from 0 to 2"
    assert loose == f"{tmp_path}: 1 images beside the folders of the classes do not count"


@pytest.mark.parametrize(
    ("images", "frame"),
    [
        ({"name": "mnist"}, Frame(20, "mass")),  # of a version that did not measure frames
        ({"name": "own.npz", "frame": {"side": 24, "by": "box"}}, Frame(24, "box")),
        ({"name": "mnist", "frame": None}, None),
        ({"name": "fashion_mnist"}, None),
        ({"name": "own.npz"}, None),
    ],
)
def test_the_recipe_says_whether_the_training_images_were_centered(
    images: dict[str, object], frame: Frame | None, bands: Path, tmp_path: Path
) -> None:
    path = tmp_path / "model.keras"
    path.write_bytes(bands.read_bytes())
    known = {"class_names": ["a", "b", "c"], "mean": [0.1], **images}
    path.with_name("recipe.json").write_text(json.dumps({"images": known}))
    assert open_model(path).form.frame == frame


def test_a_named_data_set_says_whether_its_images_are_centered(bands: Path) -> None:
    assert open_model(bands, "mnist").form.frame == Frame(20, "mass")
    assert open_model(bands, "fashion_mnist").form.frame is None
