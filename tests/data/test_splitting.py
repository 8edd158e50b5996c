import numpy as np
import pytest
from files import error_of, images, write
from hypothesis import given
from hypothesis import strategies as st

from lenet_search.data import load
from lenet_search.data.digits import FILE
from lenet_search.data.stratify import stratified
from lenet_search.recipe.data import Images


def test_the_two_parts_hold_every_image_once_with_its_label(tmp_path):
    x = np.arange(30 * 4, dtype=np.uint8).reshape(30, 2, 2)
    split = load(Images(name=str(write(tmp_path, x_train=x)), validation=9))
    both = np.concatenate([split.x_train, split.x_val])[..., 0]
    labels = np.concatenate([split.y_train, split.y_val])
    which = both[:, 0, 0] // 4
    assert sorted(which) == list(range(30))
    assert np.array_equal(both, x[which])
    assert np.array_equal(labels, which % 3)


def test_without_validation_all_images_are_for_training_even_a_data_set_s_own_for_validation(tmp_path):
    file = write(tmp_path, x_val=images(6), y_val=np.arange(6) % 3)
    split = load(Images(name=str(file), validation=0))
    assert (len(split.x_train), len(split.y_train), len(split.x_val)) == (36, 36, 0)
    assert split.digest != load(Images(name=str(file))).digest


@pytest.mark.parametrize(("validation", "count"), [(9, 9), (0.3, 9), (0.1, 3), (27, 27), (0.34, 10), (5, 5)])
def test_validation_is_a_count_or_a_share_and_met_exactly(tmp_path, validation, count):
    split = load(Images(name=str(write(tmp_path)), validation=validation))
    assert len(split.x_val) == count
    assert len(split.x_train) == 30 - count


@given(
    sizes=st.lists(st.integers(2, 60), min_size=2, max_size=12),
    share=st.floats(0, 1),
)
def test_every_class_gives_its_share_to_within_one_image_and_keeps_some(sizes, share):
    labels = np.repeat(np.arange(len(sizes)), sizes)
    n, classes = len(labels), len(sizes)
    count = classes + round(share * (n - 2 * classes))
    drawn = stratified(labels, classes, count, 1, "here")
    assert len(set(drawn)) == len(drawn) == count
    taken = np.bincount(labels[drawn], minlength=classes)
    assert (taken >= 1).all()
    assert (taken < sizes).all()
    quotas = np.array(sizes) * count / n
    if (quotas >= 1).all() and (quotas <= np.array(sizes) - 1).all():  # where neither end of a class was in the way
        assert (np.abs(taken - quotas) < 1).all()


def test_remainders_go_to_the_largest_first():
    labels = np.repeat([0, 1, 2], [50, 33, 17])  # shares of 10: 5.0, 3.3, 1.7
    drawn = stratified(labels, 3, 10, 1, "here")
    assert np.bincount(labels[drawn]).tolist() == [5, 3, 2]


@pytest.mark.parametrize(
    ("validation", "received"), [(2, "received 2"), (28, "received 28"), (0.01, "received 0"), (0.99, "received 30")]
)
def test_a_split_that_leaves_a_class_out_is_an_error(tmp_path, validation, received):
    path = write(tmp_path)
    message = error_of(path, validation=validation)
    assert message.startswith(f"{path}: data.validation: expected from 3 to 27 of 30 images")
    assert f"{received}; change data.validation" in message


def test_the_split_is_the_same_every_time_and_a_mixture(tmp_path):
    path = str(write(tmp_path))
    one, other = load(Images(name=path)), load(Images(name=path))
    assert np.array_equal(one.x_val, other.x_val)
    assert one.digest == other.digest
    digits = load(Images(name="digits", validation=400))
    with np.load(FILE, allow_pickle=False) as file:
        order = {bytes(image): i for i, image in enumerate(file["images"])}
    small = np.rint(digits.x_val[:, ::4, ::4, 0] * (16 / 255)).astype(np.uint8)
    positions = np.array([order[bytes(image)] for image in small])
    # 400 draws without replacement from 0..1796: mean 898, standard error 1797 / sqrt(12 * 400) * sqrt(1 - 400 / 1797)
    assert abs(positions.mean() - 898) < 4 * 1797 / np.sqrt(12 * 400) * np.sqrt(1 - 400 / 1797)


def test_the_limit_takes_the_first_images_before_the_split(tmp_path):
    x = np.arange(30, dtype=np.uint8)[:, None, None] * np.ones((1, 4, 4), np.uint8)
    path = str(write(tmp_path, x_train=x))
    split = load(Images(name=path, limit=12, validation=3))
    assert sorted(np.concatenate([split.x_train, split.x_val])[:, 0, 0, 0]) == list(range(12))
    assert np.bincount(split.y_val).tolist() == [1, 1, 1]
    whole = load(Images(name=path))
    assert load(Images(name=path, limit=1000)).digest == whole.digest
    assert split.digest != whole.digest


def test_a_limit_that_cuts_a_class_off_says_so(tmp_path):
    message = error_of(write(tmp_path, y_train=np.sort(np.arange(30) % 3)), limit=20)
    assert "received 0 of class 2 in 20 images" in message
    assert "sorted by class" in message


def test_the_digest_follows_images_labels_and_split(tmp_path):
    def digest(**changes):
        validation = changes.pop("validation", 6)
        return load(Images(name=str(write(tmp_path, **changes)), validation=validation)).digest

    pixel = images(30)
    pixel[7, 3, 3] ^= 1
    label = np.arange(30) % 3
    label[[0, 1]] = label[[1, 0]]
    found = [digest(), digest(x_train=pixel), digest(y_train=label), digest(validation=7), digest()]
    assert len(set(found[:4])) == 4
    assert found[4] == found[0]
    assert digest(x_train=images(30).reshape(30, 4, 16)) != found[0]
    assert len(found[0]) == 16
    assert int(found[0], 16) >= 0


def test_a_digest_written_down_stays_the_same():
    """A change here makes stored studies belong to other images: it is a change of the data, to be announced."""
    assert load(Images(name="digits", validation=0.1)).digest == "93972fc275b517d7"
