"""`--json`: one object on standard output, the result or the error, for every command."""

import ast
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from calls import ROOT, broken, call, store, write_study
from test_replay import with_curves

from lenet_search import errors
from lenet_search.cli import answer, predict
from lenet_search.experiments import tables
from lenet_search.experiments.compare import compare as pairs_of
from lenet_search.experiments.train import Training
from lenet_search.model.evaluate import Evaluation
from lenet_search.search import Summary
from tests.experiments import test_ablate, test_confirm
from tests.experiments.made import result

# A call of each command with `--json` that cannot succeed, and the kind of its error.
FAILING = (
    (["run", "--study", "nope"], "StudyFileError"), (["best"], "ResultError"), (["check", "nope"], "StudyFileError"),
    (["studies", "--storage", "nope.journal"], "ResultError"), (["train", "nope"], "StudyFileError"),
    (["evaluate", "nope.keras"], "ResultError"), (["predict", "nope.keras", "a.png"], "ResultError"),
    (["replay"], "ResultError"), (["confirm"], "ResultError"), (["ablate"], "ResultError"), (["report"], "ResultError"),
    (["compare", "nope", "nope"], "StudyFileError"), (["reproduce", "nope"], "StudyFileError"),
)  # fmt: skip


def answered(text: str) -> dict[str, object]:
    (line,) = text.splitlines()
    found = json.loads(line, parse_constant=lambda name: pytest.fail(name))
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(("arguments", "kind"), FAILING, ids=[arguments[0] for arguments, _ in FAILING])
def test_an_error_is_an_object_with_its_kind_and_its_message(arguments, kind):
    failed = call(*arguments, "--json")
    assert failed.exit_code == 2
    error = answered(failed.stdout)["error"]
    assert set(error) == {"kind", "message"}
    assert error["kind"] == kind
    assert error["message"] in failed.stderr.replace("Error: \n", "Error: ")


@pytest.mark.parametrize("arguments", [["best", "--top", "0"], ["run"], ["predict"], ["nope"], ["studies", "--nope"]])
def test_a_usage_error_is_one_too(arguments):
    failed = call(*arguments, "--json")
    assert failed.exit_code == 2
    assert answered(failed.stdout)["error"]["kind"] == "UsageError"
    assert failed.stderr


def test_without_json_an_error_leaves_standard_output_alone():
    assert call("best").stdout == call("run").stdout == ""


def test_a_bug_is_an_error_of_its_own_kind(monkeypatch):
    monkeypatch.setattr("lenet_search.study.read", broken)
    failed = call("check", "digits", "--json")
    assert failed.exit_code == 1
    assert answered(failed.stdout)["error"]["kind"] == "InternalError"


def test_check_answers_with_settings_and_space():
    write_study(Path("mine.toml"))
    answer = answered(call("check", "mine.toml", "--set", "train.epochs=7", "--json").stdout)
    (found,) = answer["studies"]
    assert found["searched"] == ["augment.shift", "optimizer.adam.learning_rate"]
    assert found["space"]["train.epochs"] == 7
    assert found["space"]["optimizer.adam.learning_rate"] == {"low": 1e-3, "high": 1e-2, "log": True, "step": None}
    assert found["sampler"] == {"kind": "TPESampler"}


def test_check_reads_overrides_as_run_does():
    write_study(Path("mine.toml"))
    refused = call("check", "mine.toml", "--set", "train.epochs=-1")
    assert refused.exit_code == 2
    assert "--set train.epochs=-1: train.epochs: expected a whole number from 1" in refused.stderr


def test_what_json_cannot_say_is_null_and_bytes_that_are_not_text_are_replaced(capsys):
    answer.print_json({"a": math.nan, "b": [math.inf, 0.5], "sieben-\udcff.png": Path("\udcff").name})
    assert answered(capsys.readouterr().out) == {"a": None, "b": [None, 0.5], "sieben-\ufffd.png": "\ufffd"}


def test_the_answers_of_best_and_studies_have_shares(monkeypatch):
    store(write_study(Path("mine.toml")), values=(0.5, 1.0))
    best = answered(call("best", "--json").stdout)
    assert best["best"][0]["value"] == 1.0
    (stored,) = answered(call("studies", "--json").stdout)["stored"]
    assert stored["best"] == {"number": 1, "value": 1.0}
    assert "100.00 %" in call("best").stdout and "100.00 %" in call("studies").stdout


def documented(command: str) -> set[str]:
    """The keys at the top that docs/json.md names for a command: those outside of brackets."""
    text = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    (cell,) = re.findall(rf"(?m)^\| `{command}` \| ([^;\n]*)(?:;.*)? \|$", text)
    return set(re.findall(r"`(\w+)`", re.sub(r"\([^()]*\)", "", cell)))


def test_the_documented_keys_are_those_that_are_printed():
    store(write_study(Path("mine.toml")))
    assert set(answered(call("best", "--json").stdout)) == documented("best")
    assert set(answered(call("studies", "--json").stdout)) == documented("studies")
    assert set(answered(call("report", "--json").stdout)) == documented("report")
    checked = answered(call("check", "mine.toml", "--json").stdout)
    assert set(checked) == documented("check")
    counts = dict.fromkeys(("total", "complete", "pruned", "failed", "interrupted"), 0)
    assert set(Summary("", "", "", counts, None, "done", 1.0, 0.0, 0.0).to_json()) == documented("run")
    with_curves("curves.journal")
    assert set(answered(call("replay", "--storage", "curves.journal", "--json").stdout)) == documented("replay")


def test_the_documented_keys_are_those_of_what_is_trained(tmp_path):
    one, other = result("a", (900, 910)), result("b", (800, 810))
    assert set(Training(one, 1.0).summary()) | {"name", "files"} == documented("train")
    assert set(pairs_of("c", [one, other], "val_accuracy").summary()) | {"files"} == documented("compare")
    assert set(tables.summary([one])) | {"folder", "files"} == documented("reproduce")
    assert set(test_confirm.race(tmp_path / "race", trial_0=0.9, trial_1=0.95).summary()) == documented("confirm")
    assert set(test_ablate.made(tmp_path / "ablation").summary()) | {"files"} == documented("ablate")


def test_the_documented_keys_are_those_of_evaluate_and_predict(monkeypatch):
    measured = Evaluation.of(np.eye(3, dtype=int), ("a", "b", "c"))
    monkeypatch.setattr("lenet_search.model.evaluate.evaluate", lambda *_, **__: measured)
    assert set(answered(call("evaluate", "model.keras", "--json").stdout)) == documented("evaluate")
    tree = ast.parse(Path(predict.__file__).read_text(encoding="utf-8"))
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    (printed,) = (each.args[0] for each in calls if ast.unparse(each.func) == "print_json")
    assert isinstance(printed, ast.Dict)
    assert {key.value for key in printed.keys if isinstance(key, ast.Constant)} == documented("predict")


def test_the_documented_kinds_of_errors_are_those_that_there_are():
    text = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
    kinds = set(re.findall(r"(?m)^\| `([A-Z]\w+)` \|", text))
    own = {
        name for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, errors.LenetSearchError) and each is not errors.LenetSearchError
    }  # fmt: skip
    assert kinds == own | {"UsageError", "Interrupted", "OSError", "InternalError"}
