import errno
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import optuna
import pytest
from typer.main import get_command
from typer.testing import CliRunner, Result

from lenet_search import study
from lenet_search.cli import app
from lenet_search.recipe import Recipe
from lenet_search.storage import CURVES, DEFINITION, Record, open_storage

ROOT = Path(__file__).parents[1]
IMAGES = {
    "name": "tiny", "digest": "0" * 16, "image_shape": [32, 32, 1], "pad": 0, "classes": 3,
    "class_names": ["a", "b", "c"], "mean": [0.2], "std": [0.2], "train": 200, "validation": 40,
}  # fmt: skip
STUDY = """# Which rate does a tiny network need?
[study]
trials = 2
[data]
name = "{data}"
validation = 40
[train]
epochs = 2
batch_size = 40
[optimizer]
kind = "adam"
adam.learning_rate = {{ low = 1e-3, high = 1e-2, log = true }}
[augment]
shift = {{ low = 0, high = 2 }}
"""


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands work in the folder that they are started in; wide enough that no line is broken."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("LENET_SEARCH_DEBUG", raising=False)


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def write_study(path: Path, data: str = "digits") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(STUDY.format(data=data))
    return path


def store(path: Path, url: str = "lenet-search.journal", values: tuple[float, ...] = (0.6, 0.8, 0.7)) -> None:
    """A study in the storage, as a run would have left it: complete trials with these values, and a failed one."""
    definition = study.read(path)
    storage = open_storage(url, create=True)
    made = optuna.create_study(storage=storage, study_name=definition.name, direction=definition.direction)
    made.set_user_attr(DEFINITION, definition.lines())
    for value in values:
        trial = made.ask()
        recipe = Recipe.from_values(definition.space.sample(trial))
        record = Record(recipe, trial.number, 0, {}, "CPU", 12.0, {name: [value] * 2 for name in CURVES}, IMAGES)
        for name, attribute in record.attributes().items():
            trial.set_user_attr(name, attribute)
        made.tell(trial, value)
    made.tell(made.ask(), state=optuna.trial.TrialState.FAIL)


# Help and completion


def test_help_names_every_command():
    shown = call("--help")
    assert shown.exit_code == 0
    for command in ("run", "best", "check", "studies", "train", "evaluate", "predict", "compare", "reproduce"):
        assert command in shown.stdout


@pytest.mark.parametrize("command", ["run", "best", "check", "train", "evaluate", "predict", "compare", "reproduce"])
def test_help_of_a_command_has_an_example_that_stands_on_a_line_of_its_own(command):
    lines = [line.strip() for line in call(command, "--help").stdout.splitlines()]
    assert any(line.startswith(f"lenet-search {command}") for line in lines)


def test_help_answers_within_half_a_second():
    def seconds() -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, "-m", "lenet_search", "--help"], check=True, capture_output=True, cwd=ROOT)
        return time.perf_counter() - started

    assert min(seconds() for _ in range(3)) < 0.5  # the best of three: other programs run here too


def test_the_version_is_the_package_s():
    from lenet_search import __version__

    assert call("--version").stdout == f"lenet-search {__version__}\n"


def complete(words: str, position: int) -> list[str]:
    environment = {
        **os.environ, "_LENET_SEARCH_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(position),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    answer = subprocess.run(
        [sys.executable, "-m", "lenet_search"], env=environment, capture_output=True, text=True, check=True
    )
    return answer.stdout.split()


def test_the_shell_completes_the_names_of_studies():
    write_study(Path("studies/mine.toml"))
    assert {"digits", "mine"} <= set(complete("lenet-search run --study ", 3))
    assert complete("lenet-search run --study di", 3) == ["digits"]


def test_the_shell_completes_the_names_of_recipes():
    Path("recipes").mkdir()
    Path("recipes/lenet-mine.toml").write_text("")
    named = complete("lenet-search reproduce lenet-", 2)
    assert {"lenet-basic", "lenet-mine"} <= set(named)
    assert complete("lenet-search train custom", 2) == complete("lenet-search compare custom", 2) == ["custom-mlp"]
    assert {"digits", "lenet-basic"} <= set(complete("lenet-search check ", 2))


def test_the_shell_completes_commands():
    assert complete("lenet-search ev", 1) == ["evaluate"]


def test_completion_can_be_installed_for_a_shell(tmp_path):
    code = "from lenet_search.cli import app; app(['--show-completion', 'bash'], prog_name='lenet-search')"
    environment = {**os.environ, "_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1", "PYTHONPATH": str(ROOT)}
    shown = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "complete -o default" in shown.stdout


# Errors


def test_an_error_is_a_plain_message_on_stderr_with_its_own_exit_code():
    failed = call("check", "no-such-study")
    assert failed.exit_code == 2
    assert failed.stderr.startswith("Error: no study is called 'no-such-study'")
    assert "Traceback" not in failed.stderr
    assert failed.stdout == ""


def test_brackets_in_an_error_are_printed_as_they_stand():
    assert "no study is called '[bold]x'" in call("check", "[bold]x").stderr


def test_an_interrupted_search_leaves_with_the_exit_code_of_its_signal(monkeypatch):
    from lenet_search import search

    def interrupted(*_: object, **__: object) -> None:
        raise search.Interrupted(15, "stopped; the same command goes on")

    monkeypatch.setattr(search, "run", interrupted)
    write_study(Path("mine.toml"))
    stopped = call("run", "--study", "mine.toml")
    assert stopped.exit_code == 143
    assert "the same command goes on" in stopped.stderr


def broken(*_: object, **__: object) -> None:
    raise RuntimeError("the floor [is] missing")


def test_an_unexpected_error_is_one_line_and_says_how_to_see_more(monkeypatch):
    monkeypatch.setattr(study, "read", broken)
    failed = call("check", "digits")
    assert failed.exit_code == 1
    assert "RuntimeError: the floor [is] missing" in failed.stderr
    assert "LENET_SEARCH_DEBUG=1" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_debugging_lets_the_traceback_through(monkeypatch):
    monkeypatch.setattr(study, "read", broken)
    monkeypatch.setenv("LENET_SEARCH_DEBUG", "1")
    assert isinstance(call("check", "digits").exception, RuntimeError)


def test_a_full_disk_is_said_in_the_system_s_words(monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "study.journal")

    monkeypatch.setattr("lenet_search.study.read", full)
    result = call("check", "digits")
    assert (result.exit_code, result.stderr) == (1, "Error: study.journal: no space left on device\n")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (["train.batch_size=5000"], "train.batch_size: expected at most the 1,137 images of digits"),
        (["data.name=small.npz", "data.validation=8"], "at least 16x16 pixels"),
    ],
)
def test_what_cannot_be_trained_is_found_before_a_storage_is_made(settings, message):
    labels = np.arange(400, dtype=np.uint8) % 4
    np.savez("small.npz", x_train=np.zeros((400, 8, 8), np.uint8), y_train=labels)
    result = call("run", "--study", "digits", *(word for setting in settings for word in ("--set", setting)))
    assert result.exit_code == 2
    assert message in result.stderr
    assert not Path("lenet-search.journal").exists()


@pytest.mark.parametrize("slots", ["0", "-1", "2.5", "many", "1000000", ""])
def test_a_stack_size_that_is_none_is_refused_before_anything_starts(slots):
    refused = call("run", "--study", "digits", "--slots", slots)
    assert refused.exit_code == 2
    assert f"expected a number from 1 to 1024, or auto; received {slots!r}" in refused.stderr
    assert not list(Path().glob("*.journal"))


@pytest.mark.parametrize("option", ["--workers", "--slots"])
def test_no_machine_has_a_million_workers_or_slots(option):
    assert call("run", "--study", "digits", option, "1000000").exit_code == 2


def test_a_narrow_terminal_loses_no_column(monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    assert all(word in call("check", "digits").stdout for word in ("val_accuracy", "lenet5", "meaning"))


def test_studies_lists_another_tool_s_study_of_several_objectives():
    storage = open_storage("lenet-search.journal", create=True)
    optuna.create_study(storage=storage, study_name="[bold]two[/]", directions=["minimize", "maximize"])
    result = call("studies")
    assert result.exit_code == 0
    assert "[bold]two[/]" in result.stdout
    assert "several objectives" in result.stdout


@pytest.mark.parametrize("timeout", ["soon", "-3", "0"])
def test_a_timeout_that_is_none_is_refused_before_anything_starts(timeout):
    refused = call("run", "--study", "digits", "--timeout", timeout)
    assert refused.exit_code == 2
    assert "--timeout" in refused.stderr
    assert not list(Path().glob("*.journal"))


# check


def test_check_prints_what_is_fixed_and_what_is_searched():
    checked = call("check", write_study(Path("mine.toml")))
    assert checked.exit_code == 0
    text = " ".join(checked.stdout.split())
    assert "optimizer.adam.learning_rate 0.001 to 0.01, log step size" in text
    assert "augment.shift 0 to 2 pixels" in text
    assert "train.batch_size 40 images" in text
    assert "2 of 37 hyperparameters are searched" in text


def test_check_shows_the_problems_of_all_files_and_the_space_of_the_good_ones():
    Path("one.toml").write_text("[train]\nepochs = 0\n")
    Path("two.toml").write_text("[train]\nepoch = 3\n")
    checked = call("check", "one.toml", write_study(Path("good.toml")), "two.toml")
    assert checked.exit_code == 2
    assert "good.toml" in checked.stdout
    assert "one.toml:2" in checked.stderr
    assert "two.toml:2" in checked.stderr


# studies


def test_studies_lists_those_that_ship_those_in_the_folder_and_those_in_the_storage():
    store(write_study(Path("studies/mine.toml")))
    listed = call("studies").stdout
    assert "digits" in listed
    assert "Which rate does a tiny network need?" in listed
    assert "val_accuracy 80.00 %" in listed


def test_studies_of_an_empty_folder_says_how_to_begin():
    listed = call("studies")
    assert listed.exit_code == 0
    assert "lenet-search run --study digits" in listed.stdout


def test_studies_of_a_storage_that_is_not_there_is_an_error_when_it_was_named():
    assert call("studies", "--storage", "nowhere.journal").exit_code == 2


def test_studies_as_json_counts_trials_by_state():
    store(write_study(Path("studies/mine.toml")))
    answer = json.loads(call("studies", "--json").stdout)
    assert answer["local"] == {"mine": "studies/mine.toml"}
    (stored,) = answer["stored"]
    assert stored["trials"] == {"complete": 3, "pruned": 0, "failed": 1, "running": 0, "queued": 0}
    assert stored["best"] == {"number": 1, "value": 0.8}


# best


def test_best_shows_the_best_trials_first_each_with_its_interval():
    store(write_study(Path("mine.toml")))
    lines = call("best", "--top", "2").stdout.splitlines()
    ranks = [line.split() for line in lines if line.strip()[:2] in ("1 ", "2 ")]
    assert [rank[1] for rank in ranks] == ["1", "2"]
    assert "80.00 % (65.24 to 89.50)" in " ".join(ranks[0])  # Wilson for 32 of 40
    assert "learning_rate" in " ".join(ranks[0])


def test_best_as_json_is_one_object_with_everything_else_on_stderr():
    store(write_study(Path("mine.toml")))
    answered = call("best", "--json")
    answer = json.loads(answered.stdout)
    assert answer["study"] == "mine"
    assert [row["value"] for row in answer["best"]] == [0.8, 0.7, 0.6]
    assert answer["exported"] == []
    assert "complete trials" in answered.stderr


def test_best_without_a_name_takes_the_most_recent_study():
    store(write_study(Path("old.toml")))
    store(write_study(Path("new.toml")))
    assert json.loads(call("best", "--json").stdout)["study"] == "new"
    assert json.loads(call("best", "--study", "old", "--json").stdout)["study"] == "old"


def test_best_of_a_study_that_is_not_there_names_those_that_are():
    store(write_study(Path("mine.toml")))
    failed = call("best", "--study", "yours")
    assert failed.exit_code == 2
    assert "mine" in failed.stderr


@pytest.mark.parametrize(
    ("arguments", "folder"),
    [
        (["--export"], "exports/mine"),
        (["--export", "--top", "2"], "exports/mine"),
        (["--top", "2", "--export"], "exports/mine"),
        (["--export", "there"], "there"),
        (["--export=there", "--json"], "there"),
    ],
)
def test_export_takes_a_folder_or_none(arguments, folder, monkeypatch):
    from lenet_search.results import export

    asked: list[Path] = []
    monkeypatch.setattr(export, "export", lambda study, url, folder, data_folder: asked.append(folder) or [])
    store(write_study(Path("mine.toml")))
    assert call("best", *arguments).exit_code == 0
    assert asked == [Path(folder)]


@pytest.mark.parametrize("command", [["best"], ["studies"], ["reproduce", "--list"]])
def test_what_only_reads_the_storage_does_without_tensorflow(command):
    store(write_study(Path("mine.toml")))
    code = (
        "import sys\nfrom lenet_search.cli import app\n"
        "assert app(sys.argv[1:], standalone_mode=False) is None\n"  # else an exit code
        "print(sorted({'tensorflow', 'keras'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, *command], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


# The whole way, once, on real parts


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `run --json` has searched two trials; its answer lies in answer.json."""
    folder = tmp_path_factory.mktemp("searched")
    write_study(folder / "mine.toml")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "lenet_search", "run", "--study", "mine.toml", "--set", "data.limit=400"]
    done = subprocess.run(
        [*command, "--set", "data.validation=0.2", "--workers", "1", "--slots", "2", "--name", "quick", "--json"],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (folder / "answer.json").write_text(done.stdout)
    (folder / "said.txt").write_text(done.stderr)
    return folder


def test_run_measures_the_stack_size_once_for_all_its_workers_and_remembers_it(tmp_path):
    write_study(Path("mine.toml"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "lenet_search", "run", "--study", "mine.toml", "--set", "data.limit=400"]
    command += ["--set", "model.network=mlp", "--workers", "2", "--slots", "auto"]

    def said(trials: int) -> str:
        done = subprocess.run(
            [*command, "--trials", str(trials)], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    first = said(2)
    (measured,) = json.loads((tmp_path / "cache/lenet-search/slots.json").read_text())["measured"]
    assert measured["conditions"]["model"]["network"] == "mlp"
    assert first.count("measuring stack sizes for mlp on 32x32x1 in batches of 40") == 1
    assert f"Workers  2 x {measured['slots']} slots" in first
    again = said(4)
    assert "measuring" not in again
    assert f"measured on {measured['date']}" in again
    assert f"x {measured['slots']} slots" in again


def test_run_answers_with_one_json_object_and_says_what_to_do_next_on_stderr(searched):
    answer = json.loads((searched / "answer.json").read_text())
    assert answer["study"] == "quick"
    assert answer["storage"] == "lenet-search.journal"
    assert answer["trials"] == {"total": 2, "complete": 2, "pruned": 0, "failed": 0}
    assert set(answer["best"]["params"]) == {"optimizer.adam.learning_rate", "augment.shift"}
    said = (searched / "said.txt").read_text()
    assert "lenet-search best --study quick --export" in said
    assert "optuna-dashboard lenet-search.journal" in said


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's predict with NumPy 2
def test_the_winner_is_exported_trained_again_and_evaluated(searched, tmp_path):
    shutil.copytree(searched, tmp_path, dirs_exist_ok=True)
    best = call("best", "--export", "--json")
    assert best.exit_code == 0, best.stderr
    exported = json.loads(best.stdout)["exported"]
    assert "exports/quick/model.keras" in exported

    trained = call("train", "exports/quick/recipe.toml", "--seeds", "3", "--json")
    assert trained.exit_code == 0, trained.stderr
    answer = json.loads(trained.stdout)
    assert answer["metrics"]["val_accuracy"]["n"] == 3
    assert "trained/quick/model.keras" in answer["files"]

    for model in ("exports/quick/model.keras", "trained/quick/model.keras"):
        measured = json.loads(call("evaluate", model, "--json").stdout)
        assert measured["n"] == 360
        assert measured["low"] < measured["accuracy"] < measured["high"]
        assert sum(map(sum, measured["confusion"])) == 360


def test_a_recipe_with_something_open_cannot_be_trained_and_says_what_is():
    failed = call("train", write_study(Path("mine.toml")))
    assert failed.exit_code == 2
    assert "optimizer.adam.learning_rate" in failed.stderr
    assert "augment.shift" in failed.stderr
    assert not Path("trained").exists()


def test_train_leaves_no_folder_when_its_images_cannot_be_had(monkeypatch):
    monkeypatch.setattr("lenet_search.cli.backend.start_backend", lambda: None)
    Path("mine.toml").write_text("")
    monkeypatch.setattr("lenet_search.training.train", broken)
    assert call("train", "mine.toml").exit_code == 1
    assert not Path("trained").exists()


def test_train_finds_out_before_training_that_its_folder_cannot_be_made():
    recipe = Path("recipe.toml")
    recipe.write_text('[data]\nname = "digits"\n')
    Path("taken").write_text("")
    failed = call("train", recipe, "--out", "taken")
    assert failed.exit_code == 2
    assert "taken" in failed.stderr


# reproduce, compare and predict


def test_the_list_of_recipes_says_what_is_claimed_and_what_is_done():
    listed = call("reproduce", "--list")
    assert listed.exit_code == 0
    line = next(line for line in listed.stdout.splitlines() if line.strip().startswith("lenet-basic"))
    assert "98.91 %" in line and "0 of 5" in line and "mnist" in line
    rows = json.loads(call("reproduce", "--list", "--json", "all-cnn").stdout)["recipes"]
    assert [(row["name"], row["claim"], row["network"]) for row in rows] == [("all-cnn", 0.9092, "all_cnn")]


def test_a_list_needs_neither_tensorflow_nor_optuna():
    code = (
        "import sys\nfrom lenet_search.cli import app\napp(['reproduce', '--list'], standalone_mode=False)\n"
        "print(sorted({'tensorflow', 'keras', 'optuna', 'plotly'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "[]"


def test_a_recipe_that_is_not_there_is_answered_with_those_that_are():
    failed = call("reproduce", "lenet-basik")
    assert failed.exit_code == 2
    assert "did you mean lenet-basic?" in failed.stderr


def test_recipes_on_other_images_are_not_compared():
    failed = call("compare", "lenet-basic", "lenet5-cifar")
    assert failed.exit_code == 2
    assert "lenet-basic and lenet5-cifar cannot be compared: data.name" in failed.stderr


def test_check_says_what_is_claimed_for_a_recipe():
    assert (
        "nothing is open: a recipe, with a claim of 98.91 % of the test images." in call("check", "lenet-basic").stdout
    )


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras's predict with NumPy 2
def test_pictures_are_classified_and_a_bad_one_gives_the_exit_code():
    import keras
    from PIL import Image

    layers = [keras.layers.AveragePooling2D((4, 8)), keras.layers.Flatten(), keras.layers.Softmax()]
    keras.Sequential([keras.Input((8, 8, 1)), *layers]).save("model.keras")
    pixels = np.zeros((8, 8), np.uint8)
    pixels[5:7, 1:7] = 255
    for folder in ("plain", "classes/0", "classes/1"):
        Path(folder).mkdir(parents=True)
        Image.fromarray(pixels).save(f"{folder}/a.png")
    answer = call("predict", "model.keras", "plain", "classes", "--json")
    assert answer.exit_code == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert [each["classes"][0]["class"] for each in found["images"]] == ["1"]
    assert (found["folders"][0]["accuracy"], found["folders"][0]["n"]) == (0.5, 2)
    assert "classes: accuracy 50.00 %" in answer.stderr

    failed = call("predict", "model.keras", "gone.png", "plain/a.png")
    assert failed.exit_code == 2
    assert "gone.png: there is no such file" in failed.stderr
    assert "plain/a.png" in failed.stdout


def test_a_folder_without_images_is_said_so():
    Path("empty").mkdir()
    failed = call("predict", "model.keras", "empty")
    assert failed.exit_code == 2
    assert "empty: there are no images in this folder" in failed.stderr


# Documents


def commands_in(text: str) -> list[list[str]]:
    lines = [line.split("  #")[0].strip() for line in text.splitlines()]
    return [shlex.split(line)[1:] for line in lines if re.match(r"lenet-search (?!COMMAND)\w", line)]


def documented() -> list[list[str]]:
    texts = [(ROOT / "README.md").read_text(encoding="utf-8")]
    texts += [command.epilog or "" for command in get_command(app).commands.values()]
    files = [*sorted((ROOT / "studies").glob("*.toml")), *sorted((ROOT / "recipes").glob("*.toml"))]
    texts += [path.read_text(encoding="utf-8").replace("# ", "") for path in files]
    texts += [(ROOT / "docs" / "classics.md").read_text(encoding="utf-8")]
    # what stands behind two spaces in a help text explains the command
    return [words for text in texts for words in commands_in(re.sub(r"(?m)(\S) {3,}\S.*$", r"\1", text))]


@pytest.mark.parametrize("words", documented(), ids=" ".join)
def test_every_command_in_the_documents_is_one_that_the_parser_takes(words):
    command = get_command(app).commands[words[0]]
    command.make_context(words[0], words[1:])  # raises for an option that is not there, or a value of a wrong type


def test_the_documents_show_every_command():
    assert {words[0] for words in documented()} == set(get_command(app).commands)


def test_the_readme_names_every_environment_variable_that_the_package_reads():
    read = {
        name
        for path in (ROOT / "lenet_search").rglob("*.py")
        for name in re.findall(r"LENET_SEARCH_[A-Z]+", path.read_text())
    }
    assert read == set(re.findall(r"LENET_SEARCH_[A-Z]+", (ROOT / "README.md").read_text(encoding="utf-8")))
