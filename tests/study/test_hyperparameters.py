import pytest

from tests.study.conftest import ProblemsOf


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        # keys that do not exist
        (
            "[regulariser]\nl1 = 0.0",
            "mine.toml:1: regulariser: expected one of study, start, confirm, claim, data, train, model, regularize,"
            ' augment, loss, optimizer, schedule; received "regulariser"; did you mean regularize?',
        ),
        (
            "[train]\nepoch = 3",
            "mine.toml:2: train.epoch: expected one of epochs, batch_size, precision; "
            'received "epoch"; did you mean epochs?',
        ),
        ("epochs = 3", "did you mean train.epochs?"),
        ("[optimizer]\nlearning_rate = 0.1", "did you mean optimizer.sgd.learning_rate?"),
        (
            "[optimizer]\n\nsgd.momentun = 0.9",
            "mine.toml:3: optimizer.sgd.momentun: expected one of learning_rate, momentum,"
            ' nesterov, weight_decay; received "momentun"; did you mean momentum?',
        ),
        ('["train.epochs"]\nx = 1', 'mine.toml:1: "train.epochs": expected one of study'),
        (
            "[regularize]\nl2 = { low = 0.1, high = 0.2, lgo = true }",
            'regularize.l2.lgo: expected one of low, high, log, step, choices; received "lgo"; did you mean log?',
        ),
        # wrong types and values
        ("train = 3", "mine.toml:1: train: expected a table, [train]; received 3"),
        (
            "[optimizer]\nsgd = 0.1",
            "optimizer.sgd: expected arguments of sgd, like sgd.learning_rate = 0.01; received 0.1",
        ),
        ("[train]\nepochs = '10'", 'train.epochs: expected a whole number from 1; received "10"; did you mean 10?'),
        ("[train]\nepochs = 10.0", "train.epochs: expected a whole number from 1; received 10.0"),
        ("[train]\nepochs = 2026-01-31", "train.epochs: expected a whole number from 1; received 2026-01-31"),
        ("[model]\nbatch_norm = 1", "model.batch_norm: expected true or false; received 1"),
        ("[model]\nbatch_norm = 'true'", "did you mean true?"),
        ("[model]\ninitializer = 'he_norml'", 'received "he_norml"; did you mean "he_normal"?'),
        ("[optimizer]\nkind = 'SGD'", 'received "SGD"; did you mean "sgd"?'),
        ("[regularize]\nl1 = 1.5", "regularize.l1: expected a number from 0 to 1; received 1.5"),
        ("[regularize]\nl1 = nan", "regularize.l1: expected a number from 0 to 1; received nan"),
        ("[regularize]\nl1 = true", "regularize.l1: expected a number from 0 to 1; received true"),
        ("[data]\nvalidation = 5000.0", "expected a count (a whole number from 0) or a share"),
        ("[regularize]\nl1 = [0.0, 0.1]", "did you mean { choices = [0.0, 0.1] }?"),
        (f"[optimizer]\nclip_norm = 1{'0' * 400}", "optimizer.clip_norm: expected a number from 0; received 1000"),
        # ranges
        (
            "[train]\nbatch_size = { low = 64, high = 32 }",
            "train.batch_size.low: expected a number below high, 32; received 64",
        ),
        (
            "[train]\nbatch_size = { low = 64, high = 64 }",
            "train.batch_size.low: expected a number below high, 64; received 64",
        ),
        (
            "[regularize]\nl1 = { low = 0, high = 0.1, log = true }",
            "regularize.l1.low: expected a number above 0, since log = true; received 0",
        ),
        (
            "[regularize]\nl1 = { low = 0.1, high = 2.0 }",
            "regularize.l1.high: expected a number from 0 to 1; received 2.0",
        ),
        (
            "[regularize]\ndropout = { low = 0.1, high = 1.0 }",
            "regularize.dropout.high: expected a number from 0 to below 1",
        ),
        (
            "[regularize]\nl1 = { high = 0.1 }",
            "regularize.l1.low: expected a number from 0 to 1, in { low = ..., high = ... }; received nothing",
        ),
        ("[regularize]\nl1 = {}", "regularize.l1.high: expected a number from 0 to 1, in"),
        ("[regularize]\nl1 = { low = 0.1, high = 0.2, log = 'yes' }", 'l1.log: expected true or false; received "yes"'),
        (
            "[augment]\nshift = { low = 0, high = 4.0 }",
            "augment.shift.high: expected a whole number from 0 to 64; received 4.0",
        ),
        (
            "[augment]\nshift = { low = 0, high = 4, step = 0.5 }",
            "shift.step: expected a whole number from 1; received 0.5",
        ),
        (
            "[augment]\nshift = { low = 0, high = 4, step = 0 }",
            "shift.step: expected a whole number from 1; received 0",
        ),
        (
            "[augment]\nshift = { low = 1, high = 8, step = 3 }",
            "shift.step: expected a step that reaches high, 8, from low, 1; received 3; did you mean high = 7?",
        ),
        (
            "[augment]\nrotate = { low = 1.0, high = 4.0, step = -1.0 }",
            "rotate.step: expected a number above 0; received -1.0",
        ),
        (
            "[augment]\nrotate = { low = 1.0, high = 4.0, step = 1.0, log = true }",
            "rotate.step: expected no step, since log",
        ),
        ("[model]\nbatch_norm = { low = 0, high = 1 }", "expected a value, or { choices = [true, false] }"),
        ("[model]\npooling = { low = 0, high = 1 }", 'expected a value, or { choices = ["average", "max"] }'),
        ("[data]\nname = { low = 0, high = 1 }", 'expected a value, or { choices = ["...", "..."] }'),
        (
            "[data]\nvalidation = { low = 0.1, high = 500 }",
            "validation.high: expected two counts or two shares",
        ),
        (
            "[augment]\nrotate = { low = 0.0, high = 1.0, step = 1e-300 }",
            "rotate.step: expected a step of which at most 10,000,000 reach high, 1.0, from low, 0.0;",
        ),
        (
            "[augment]\nrotate = { low = 0.1, high = 0.5, step = 0.15 }",
            "rotate.step: expected a step that reaches high, 0.5, from low, 0.1; received 0.15;"
            " did you mean high = 0.4?",
        ),
        # choices
        (
            "[regularize]\ndropout = { choices = [] }",
            "dropout.choices: expected a list of values, like choices = [0.0]; received []",
        ),
        ("[regularize]\ndropout = { choices = 0.5 }", "dropout.choices: expected a list of values"),
        (
            "[regularize]\ndropout = { choices = [0.1, 0.5, 1.0] }",
            "dropout.choices.3: expected a number from 0 to below 1",
        ),
        (
            "[regularize]\ndropout = { choices = [0.1, 0.1] }",
            "dropout.choices.2: expected distinct choices; received 0.1",
        ),
        (
            "[regularize]\ndropout = { choices = [0.1], low = 0.0 }",
            "low: expected either choices, or low and high",
        ),
        (
            "[model]\ninitializer = { choices = [\n'he_normal',\n'he_unifrom'] }",
            "mine.toml:4: model.initializer.choices.2:",
        ),
        # branches
        (
            "[optimizer]\nkind = 'sgd'\nadam.beta_1 = 0.9",
            "mine.toml:3: optimizer.adam: expected arguments of a kind that"
            ' optimizer.kind can take, "sgd"; received "adam";'
            ' did you mean optimizer.kind = { choices = ["sgd", "adam"] }?',
        ),
        ("[schedule]\ncosine.alpha = 0.1", 'expected arguments of a kind that schedule.kind can take, "constant"'),
    ],
)
def test_a_mistake_is_reported_with_line_key_and_what_was_expected(
    text: str, problem: str, problems_of: ProblemsOf
) -> None:
    found = problems_of(text)
    assert any(problem in line for line in found), found
    assert all(line.startswith("mine.toml:") and "; received " in line for line in found)


def test_a_wrong_kind_is_reported_once_and_not_held_against_its_branches(problems_of: ProblemsOf) -> None:
    found = problems_of("[optimizer]\nkind = 'sdg'\nsgd.momentum = 0.9\nadam.beta_1 = 2")
    assert [line.split(":")[2].strip() for line in found] == ["optimizer.kind", "optimizer.adam.beta_1"]


def test_a_very_long_value_is_shortened_in_the_message(problems_of: ProblemsOf) -> None:
    (found,) = problems_of(f"[train]\nepochs = '{'x' * 500}'")
    assert found.endswith(" ...") and len(found) < 250
