import re
import subprocess
import sys
from pathlib import Path

import pytest

from lenet_search.errors import StudyFileError
from lenet_search.recipe import FIELDS, Recipe
from lenet_search.space import Choice, Range
from lenet_search.study import Component, read, read_recipe, shipped
from tests.study.conftest import DefinitionOf, ProblemsOf, Write

WHOLE = """
[study]
metric = "val_loss"
direction = "minimize"
trials = 7
timeout = "30m"
seed = 3
sampler = { kind = "RandomSampler" }
pruner = { kind = "MedianPruner", n_warmup_steps = 2 }

[data]
validation = 5000

[train]
epochs = { low = 2, high = 8, step = 2 }

[regularize]
l2 = { low = 1e-8, high = 1, log = true }

[model]
batch_norm = { choices = [true, false] }

[augment]
flip = { choices = [0, 0.5] }

[optimizer]
kind = { choices = ["sgd", "adam"] }
sgd.momentum = { low = 0.5, high = 0.9 }
adam.beta_1 = 0.8
"""


def test_a_study_is_read_whole(definition_of: DefinitionOf) -> None:
    study = definition_of(WHOLE)
    assert (study.name, study.path) == ("mine", Path("mine.toml"))
    assert (study.metric, study.direction, study.trials, study.timeout, study.seed) == (
        "val_loss",
        "minimize",
        7,
        1800,
        3,
    )
    assert study.sampler == Component("RandomSampler")
    assert study.pruner == Component("MedianPruner", {"n_warmup_steps": 2})
    assert study.space.searched() == {
        "train.epochs": Range(2, 8, step=2, integer=True),
        "model.batch_norm": Choice((True, False)),
        "regularize.l2": Range(1e-8, 1.0, log=True),
        "augment.flip": Choice((0.0, 0.5)),
        "optimizer.kind": Choice(("sgd", "adam")),
        "optimizer.sgd.momentum": Range(0.5, 0.9),
    }
    assert study.space.entries["data.validation"] == 5000
    assert study.space.entries["optimizer.adam.beta_1"] == 0.8


def test_an_empty_file_is_a_study_of_defaults(definition_of: DefinitionOf) -> None:
    study = definition_of("")
    assert (study.metric, study.direction, study.trials) == ("val_accuracy", "maximize", 100)
    assert (study.timeout, study.seed, study.start) == (None, 0, ())
    assert (study.sampler, study.pruner) == (Component("TPESampler"), Component("NopPruner"))
    assert study.space.entries == Recipe().values()


def test_entries_hold_the_arguments_of_every_kind_that_can_be_picked(definition_of: DefinitionOf) -> None:
    entries = definition_of(WHOLE).space.entries
    kinds = {None, "sgd", "adam", "constant"}
    assert list(entries) == [path for path, field in FIELDS.items() if field.branch in kinds]
    assert entries["optimizer.adam.learning_rate"] == FIELDS["optimizer.adam.learning_rate"].default


def test_toml_s_other_ways_of_writing_a_table_mean_the_same(definition_of: DefinitionOf) -> None:
    short = definition_of("[optimizer]\nkind = 'adam'\nadam.learning_rate = { low = 1e-4, high = 1e-2, log = true }")
    long = definition_of(
        "optimizer.kind = 'adam'\n[optimizer.adam.learning_rate]\nlow = 1e-4\nhigh = 1e-2\nlog = true\n"
    )
    inline = definition_of(
        "optimizer = {kind = 'adam', adam = {learning_rate = {low = 1e-4, high = 1e-2, log = true}}}"
    )
    assert short.lines() == long.lines() == inline.lines()


def test_a_name_given_by_the_caller_replaces_the_file_s(write: Write) -> None:
    assert read(write(""), name="quick").name == "quick"


def test_validation_ranges_are_counts_or_shares(definition_of: DefinitionOf) -> None:
    counts = definition_of("[data]\nvalidation = { low = 1000, high = 5000, step = 1000 }")
    shares = definition_of("[data]\nvalidation = { low = 0.1, high = 0.2 }")
    assert counts.space.entries["data.validation"] == Range(1000, 5000, step=1000, integer=True)
    assert shares.space.entries["data.validation"] == Range(0.1, 0.2)


def test_all_problems_are_reported_at_once_in_the_order_of_the_file(problems_of: ProblemsOf) -> None:
    found = problems_of(
        "[trian]\nepochs = 3\n[study]\ntrials = 0\nsampler = { kind = 'TPE' }\n[model]\nwidth = -1\n"
        "activation = 'rule'\n"
        "[regularize]\nl2 = { low = 1.0, high = 0.0, log = 1 }\n[[start]]\nmodel.pooling = 'maximum'\n"
    )
    assert [line.split(":")[1] for line in found] == ["1", "4", "5", "7", "8", "10", "10", "12"]


@pytest.mark.parametrize(
    ("text", "line"),
    [("[train]\nepochs 3\n", 2), ("[train]\nepochs = 3\nepochs = 4\n", 3), ("[train]\n\nepochs = [1,\n", 4)],
)
def test_what_is_no_toml_is_reported_with_its_line(text: str, line: int, problems_of: ProblemsOf) -> None:
    (found,) = problems_of(text)
    assert found.startswith(f"mine.toml:{line}: expected valid TOML; received: ")


def test_a_number_of_thousands_of_digits_is_reported_with_its_line(problems_of: ProblemsOf) -> None:
    (problem,) = problems_of(f"[train]\nepochs = 3\n[data]\nlimit = {'9' * 5000}\nsize = 32  # pixels\n")
    assert problem == (
        "mine.toml:4: expected a number of fewer digits; received 99999999999999999999... (5,000 digits)"
    )


@pytest.mark.parametrize(
    "text", ["[study]\ntrials = {}", "[augment]\nshift = {{ low = 0, high = 4, step = {} }}", "[data]\nlimit = [{}]"]
)
def test_a_hexadecimal_number_of_thousands_of_digits_is_reported_too(text: str, problems_of: ProblemsOf) -> None:
    number = f"0x{'f' * 5000}"
    (problem,) = problems_of(text.format(number))
    assert problem.startswith("mine.toml:2: ") and problem.endswith(": expected a number of fewer digits")
    (problem,) = problems_of("[train]\nepochs = 3", f"study.trials={number}")
    assert "study.trials: expected a number of fewer digits" in problem


def test_a_misspelled_kind_is_one_problem_whatever_arguments_it_has(problems_of: ProblemsOf) -> None:
    (problem,) = problems_of("[optimizer]\nkindx = 'adam'\nadam.learning_rate = 0.01\n")
    assert problem.startswith("mine.toml:2: optimizer.kindx: expected one of kind, ")


def test_a_file_that_is_not_utf_8_is_reported_with_its_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("latin.toml").write_bytes("[train]\n# größer\n".encode("latin-1"))
    with pytest.raises(StudyFileError, match=r"latin\.toml:2: expected UTF-8 text; received the byte 0xf6"):
        read("latin.toml")


def test_a_byte_order_mark_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "bom.toml"
    path.write_bytes(b"\xef\xbb\xbf[train]\r\nepochs = 3\r\n")
    assert read(path).space.entries["train.epochs"] == 3


def test_a_recipe_is_a_study_with_nothing_open(write: Write) -> None:
    definition, recipe = read_recipe(write("[train]\nepochs = 3\n[optimizer]\nkind = 'lion'\nlion.beta_1 = 0.5"))
    assert definition.space.searched() == {}
    assert recipe == Recipe.from_values({"train.epochs": 3, "optimizer.kind": "lion", "optimizer.lion.beta_1": 0.5})


def test_a_recipe_that_leaves_something_open_is_refused_with_all_that_is_open(write: Write) -> None:
    with pytest.raises(StudyFileError) as caught:
        read_recipe(
            write("[train]\nepochs = { low = 1, high = 4 }\n[model]\npooling = { choices = ['max', 'average'] }")
        )
    assert caught.value.problems == (
        "mine.toml:2: train.epochs: expected a single value, since a recipe fixes every value;"
        " received { low = 1, high = 4 }",
        "mine.toml:4: model.pooling: expected a single value, since a recipe fixes every value;"
        ' received { choices = ["max", "average"] }',
    )


def test_overrides_can_close_what_a_file_leaves_open(write: Write) -> None:
    path = write("[train]\nepochs = { low = 1, high = 4 }")
    assert read_recipe(path, overrides=["train.epochs=2"])[1].train.epochs == 2


@pytest.mark.parametrize("name", shipped())
def test_a_study_that_ships_reads_and_has_a_title_and_its_command(name: str) -> None:
    study = read(shipped()[name])
    header = shipped()[name].read_text(encoding="utf-8").partition("\n[")[0].splitlines()
    assert study.name == name and study.space.searched()
    assert header[0].startswith("# LeNet-5 on ") and header[0].endswith((".", "?"))
    assert any(f"lenet-search run --study {name}" in line for line in header)


def test_the_cifar_study_spans_what_it_is_meant_to_compare() -> None:
    study = read(shipped()["cifar"])
    searched = study.space.searched()
    assert {"optimizer.kind", "schedule.kind", "model.initializer", "regularize.l1", "regularize.l2"} <= set(searched)
    assert {"regularize.dropout", "augment.flip", "augment.shift"} <= set(searched)
    assert study.trials == 100


def test_reading_the_language_needs_neither_optuna_nor_tensorflow() -> None:
    code = (
        "import sys, lenet_search.study as study, lenet_search.space\n"
        "study.shipped(), study.local(), study.write_recipe(__import__('lenet_search.recipe').recipe.Recipe())\n"
        "print(sorted({'optuna', 'tensorflow', 'keras'} & set(sys.modules)))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


DOCS = (Path(__file__).parents[2] / "docs" / "studies.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("example", re.findall(r"```toml\n(.*?)```", DOCS, re.DOTALL))
def test_every_example_in_the_docs_is_a_legal_study(example: str, definition_of: DefinitionOf) -> None:
    assert definition_of(example).lines()


@pytest.mark.parametrize("text", ["[train]\nepochs = " + "[" * 5000 + "]" * 5000, "train.epochs = " + "{a = " * 5000])
def test_hundreds_of_tables_inside_each_other_are_a_problem_like_any_other(problems_of: ProblemsOf, text: str) -> None:
    assert problems_of(text) == ["mine.toml: tables are nested too deeply"]


@pytest.mark.parametrize("name", ["", " ", "..", "a/b", "/tmp/x", "a\\b", "two\nlines", "\x1b[2J", "x" * 101])
def test_a_name_that_no_folder_can_have_is_refused(write: Write, name: str) -> None:
    with pytest.raises(StudyFileError, match=r"without a slash.*--name"):
        read(write(""), name=name)
    assert read(write(""), name="[bold] ü").name == "[bold] ü"


def test_a_whole_number_that_fits_no_computer_is_refused(problems_of: ProblemsOf) -> None:
    (problem,) = problems_of(f"[train]\nepochs = {'9' * 20}")
    assert problem.startswith("mine.toml:2: train.epochs: expected a whole number from 1; received ")


def test_a_key_is_repeated_as_it_is_written_with_nothing_that_moves_the_cursor(problems_of: ProblemsOf) -> None:
    (problem,) = problems_of('[train]\n"\\u001b[2J" = 1')
    assert problem.startswith(r'mine.toml:2: train."\u001b[2J": expected one of epochs, batch_size')


def test_a_name_that_no_utf_8_file_can_hold_is_refused_and_shown():
    with pytest.raises(StudyFileError, match=r'data\.name: expected a string; received "caf\\udce9\.npz"'):
        read("digits", overrides=["data.name='caf\udce9.npz'"])
