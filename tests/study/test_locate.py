from pathlib import Path

import pytest

from lenet_search.errors import StudyFileError
from lenet_search.study import local, read, read_recipe, shipped, title


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "studies").mkdir()
    return tmp_path


def test_five_studies_ship() -> None:
    assert set(shipped()) == {"digits", "mnist", "cifar", "cifar-long", "fashion_mnist"}
    assert all(path.is_file() for path in shipped().values())


def test_a_name_means_a_study_of_the_working_folder_and_then_one_that_ships() -> None:
    assert read("digits").path == shipped()["digits"]
    Path("studies/digits.toml").write_text("[train]\nepochs = 1\n", encoding="utf-8")
    assert local() == {"digits": Path("studies/digits.toml")}
    assert read("digits").space.entries["train.epochs"] == 1


def test_a_path_is_taken_as_it_is() -> None:
    Path("mine.toml").write_text("", encoding="utf-8")
    assert read("mine.toml").name == read(Path("mine.toml")).name == read("./mine.toml").name == "mine"


def test_a_study_that_is_not_there_is_answered_with_those_that_are() -> None:
    Path("studies/mine.toml").write_text("", encoding="utf-8")
    with pytest.raises(StudyFileError) as caught:
        read("cifra")
    assert str(caught.value) == (
        "there is no study named 'cifra'; did you mean cifar? Available: cifar, cifar-long, digits, fashion_mnist, "
        "mine, mnist"
    )


def test_a_path_that_is_not_there_is_answered_with_the_files_beside_it() -> None:
    Path("studies/mine.toml").write_text("", encoding="utf-8")
    with pytest.raises(StudyFileError, match=r"did you mean studies/mine\.toml\? Available: studies/mine\.toml$"):
        read("studies/mini.toml")


def test_a_path_into_an_empty_folder_is_answered_with_the_studies_that_ship() -> None:
    with pytest.raises(
        StudyFileError, match=r"there is no such file.* Available: cifar, cifar-long, digits, fashion_mnist, mnist$"
    ):
        read("nowhere/x.toml")


def test_a_folder_is_no_study() -> None:
    with pytest.raises(StudyFileError, match="studies: expected a study file; received a folder"):
        read(Path("studies"))


def test_a_file_that_cannot_be_read_is_reported_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path("mine.toml")
    path.write_text("", encoding="utf-8")

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(
        StudyFileError, match=r"mine\.toml: expected a readable study file; received: permission denied"
    ):
        read(path)


def test_a_path_that_no_file_can_have_or_is_no_file_is_a_plain_error() -> None:
    with pytest.raises(StudyFileError, match="there is no such file"):
        read("a" * 5000 + ".toml")
    with pytest.raises(StudyFileError, match="received a device or a pipe"):
        read("/dev/null")


def test_a_file_without_the_usual_ending_is_found_where_no_study_has_its_name() -> None:
    Path("mine").write_text("", encoding="utf-8")
    assert read("mine").path == Path("mine")


def test_a_recipe_s_name_means_one_of_the_working_folder_and_then_one_that_ships() -> None:
    assert read_recipe("lenet-basic")[0].path == shipped("recipes")["lenet-basic"]
    Path("recipes").mkdir()
    Path("recipes/lenet-basic.toml").write_text("[train]\nepochs = 1\n", encoding="utf-8")
    assert local("recipes") == {"lenet-basic": Path("recipes/lenet-basic.toml")}
    assert read_recipe("lenet-basic")[1].train.epochs == 1


def test_a_recipe_that_is_not_there_is_answered_with_recipes() -> None:
    with pytest.raises(StudyFileError, match=r"no recipe named 'lenet-basik'; did you mean lenet-basic\? Available"):
        read_recipe("lenet-basik")


def test_a_study_can_be_read_by_the_name_of_a_recipe_and_a_recipe_by_that_of_a_study() -> None:
    assert read("custom-mlp").name == "custom-mlp"
    closed = ["model.initializer=he_normal", "regularize.l2=0.0", "regularize.dropout=0.0", "augment.shift=0"]
    kinds = ["optimizer.kind=adam", "optimizer.adam.learning_rate=0.001", "schedule.kind=constant"]
    assert read_recipe("digits", overrides=closed + kinds)[1].data.name == "digits"


def test_the_title_of_a_file_is_its_first_comment() -> None:
    Path("a.toml").write_text("# What is this?\n# More\n", encoding="utf-8")
    Path("b.toml").write_text("[train]\n", encoding="utf-8")
    assert [title(Path(name)) for name in ("a.toml", "b.toml", "c.toml")] == ["What is this?", "", ""]
