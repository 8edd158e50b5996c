import errno
import io
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

import lenet_search
from lenet_search.look.console import Terminal
from lenet_search.look.lines import TITLE, Plain, duration, recipe_in_short, sparkline, words
from lenet_search.look.live import Live, panel, view_for
from lenet_search.look.progress import Best, Progress, Running, Silent, Standing, View

STANDING = Standing(
    name="cifar",
    metric="val_accuracy",
    total=100,
    complete=40,
    pruned=22,
    failed=1,
    interrupted=3,
    best=Best(41, 0.7131, {"optimizer.kind": "adam", "optimizer.adam.learning_rate": 0.00123, "augment.flip": 0.5}),
    bests=(0.4, 0.6, 0.7, 0.7131),
)
PROGRESS = Progress(
    STANDING,
    running=tuple(Running(f"trial {63 + i}", 30, [0.3, 0.5, 0.6][: i % 4]) for i in range(12)),
    seconds=600.0,
    seconds_left=420.0,
    per_hour=212.4,
    images_per_second=24123.0,
)


class Watched(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        return True


class Broken(io.StringIO):
    """A stream that fails as the system does, from now on."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error


def drawn(progress: Progress, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=False)
    console.print(panel(progress, width))
    return console.file.getvalue()


def test_the_panel_shows_how_far_how_good_and_how_fast():
    text = drawn(PROGRESS)
    for part in ("cifar", "62 of 100", "7 min left", "40 complete, 22 pruned", "12 running", "1 failed",
                 "3 interrupted", "71.31 %", "trial 41", "adam  learning_rate 0.00123  flip 0.5", "212 trials/h",
                 "24,123 images/s", "3/30", "and 4 more"):  # fmt: skip
        assert part in text, part


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_the_panel_fits_the_terminal(width):
    assert all(len(line) <= width for line in drawn(PROGRESS, width).splitlines())


def test_the_panel_groups_runs_by_node_if_several_nodes_train():
    running = tuple(Running(f"trial {i}", 30, [0.3] * (1 + i % 5), f"gpu-{i % 3}") for i in range(30))
    lines = [line.strip("│ ") for line in drawn(replace(PROGRESS, running=running)).splitlines()]
    first = lines.index("gpu-0  10 running")
    assert [line.split()[:2] for line in lines[first : first + 9]] == [
        ["gpu-0", "10"], ["trial", "9"], ["trial", "24"],
        ["gpu-1", "10"], ["trial", "4"], ["trial", "19"],
        ["gpu-2", "10"], ["trial", "14"], ["trial", "29"],
    ]  # fmt: skip


def test_the_panel_of_a_large_fleet_stays_small():
    running = tuple(Running(f"trial {i}", 30, [0.3], f"gpu-{i % 40:02}") for i in range(2560))
    text = drawn(replace(PROGRESS, running=running))
    assert len(text.splitlines()) < 30
    assert "gpu-07  64 running" in text and "and 32 more nodes" in text and "gpu-08" not in text


@pytest.mark.parametrize(("maximize", "leader"), [(True, "trial 2, 1 of 8"), (False, "trial 1, 2 of 8")])
def test_the_best_of_the_running_trials_is_shown_after_each_epoch(maximize, leader):
    running = (Running("trial 1", 8, [0.7, 0.3]), Running("trial 2", 8, [0.6]), Running("trial 3", 8, [math.nan]))
    begun = Progress(Standing("s", "val_accuracy", 10, maximize=maximize), (*running, Running("trial 4", 8, [])))
    value = "60.00 %" if maximize else "30.00 %"
    assert f"best of those running {value} ({leader} epochs)" in drawn(begun)
    assert f"none complete yet; best of those running {value} ({leader} epochs)" in words(begun)
    assert "of those running" not in drawn(replace(begun, running=running[2:]))
    assert "of those running" not in drawn(replace(begun, standing=Standing("s", "val_accuracy", 10, unit="run")))


def test_a_search_that_has_only_begun_can_be_shown():
    text = drawn(Progress(Standing("cifar", "val_accuracy", 100)))
    assert "0 of 100" in text
    assert "best" not in text


def test_workers_that_are_not_up_yet_are_said_instead_of_a_rate_of_nothing():
    text = drawn(Progress(Standing("cifar", "val_accuracy", 100), starting=2))
    assert "starting 2 workers" in text
    assert "trials/h" not in text


def test_no_title_of_a_line_of_the_plan_is_cut():
    package = Path(lenet_search.__file__).parent
    titles = {title for file in package.rglob("*.py") for title in re.findall(r'opening\(\s*"(\w+)"', file.read_text())}
    assert {"Data", "Precision", "Study"} <= titles
    assert max(map(len, titles)) <= TITLE


def test_until_the_first_epoch_is_over_a_rate_of_nothing_is_not_shown():
    text = drawn(Progress(Standing("cifar", "val_accuracy", 100), [Running("trial 0", 10, [])]))
    assert "first epoch" in text
    assert "trials/h" not in text
    text = drawn(Progress(Standing("cifar", "val_accuracy", 100), images_per_second=2000.0))
    assert "2,000 images/s" in text and "trials/h" not in text


def test_a_long_epoch_is_followed_by_its_parts():
    standing = Standing("cifar", "val_accuracy", 100, epochs=(0, 20), unit="run")
    text = drawn(Progress(standing, [Running("a", 10, [], part=0.5), Running("b", 10, [])]))
    assert "first epoch, 25 % done" in text and "compiling" not in text
    text = drawn(Progress(standing, [Running("a", 10, [0.5], part=0.5)], images_per_second=2000.0))
    assert "2,000 images/s, present epochs 50 % done" in text
    shown = [drawn(Progress(standing, [Running("a", 10, [0.5], part=part)])) for part in (0.0, 0.9)]
    assert shown[0] != shown[1]


def test_where_there_is_no_terminal_a_line_says_what_is_new_and_once_a_minute_that_nothing_is():
    now, console = 0.0, Console(file=io.StringIO(), width=200)
    view = Plain(console, clock=lambda: now)
    for now in range(0, 61, 5):
        further = replace(PROGRESS, running=PROGRESS.running[: 3 if now < 20 else 2], per_hour=200.0 + now)
        view.update(further)
    at = [float(line.split(" trials/h")[0].split()[-1]) - 200.0 for line in console.file.getvalue().splitlines()]
    assert at == [10.0, 20.0]
    now = 80.0
    view.update(replace(further, per_hour=280.0))
    assert "280 trials/h" in console.file.getvalue()


def test_the_epochs_of_a_list_are_counted_over_all_its_runs():
    standing = Standing("mine", "val_accuracy", 5, complete=1, unit="run", epochs=(10, 50))
    progress = Progress(standing, [Running(f"mine, seed {seed}", 10, [0.5] * 4) for seed in (1, 2, 3, 4)])
    assert "26 of 50 epochs" in drawn(progress) and "1 of 5 runs" in drawn(progress)
    console = Console(file=io.StringIO())
    view = Plain(console)
    view.update(progress)
    view.close()
    assert "1 of 5 runs done" in console.file.getvalue() and "26 of 50 epochs" in console.file.getvalue()


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE", "CLICOLOR_FORCE"])
def test_colors_in_a_file_are_no_reason_to_redraw_it(monkeypatch, name):
    monkeypatch.setenv(name, "1")
    assert isinstance(view_for(Console(file=io.StringIO())), Plain)


@pytest.mark.parametrize(("name", "value"), [("TERM", "dumb"), ("TTY_COMPATIBLE", "0"), ("TTY_INTERACTIVE", "0")])
def test_a_terminal_that_cannot_redraw_gets_plain_lines(monkeypatch, name, value):
    monkeypatch.setenv("TERM", "xterm")
    assert isinstance(view_for(Console(file=Watched())), Live)
    monkeypatch.setenv(name, value)
    assert isinstance(view_for(Console(file=Watched())), Plain)


@pytest.mark.parametrize(
    ("error", "gone"),
    [(BrokenPipeError(), True), (OSError(errno.ENOSPC, "full"), False), (OSError(errno.EIO, ""), False)],
)
@pytest.mark.parametrize("kind", [Plain, Live])
def test_output_that_fails_disturbs_no_training_and_a_closed_pipe_ends_it(kind, error, gone):
    view = kind(Terminal(file=Broken(error), force_terminal=True))
    view.opening("Data", "digits")
    view.update(PROGRESS)
    view.note("another worker takes its place")
    view.close()
    assert view.gone == gone


def test_runs_of_a_list_are_counted_as_such_and_have_no_best():
    standing = Standing("5 recipes", "val_accuracy", 25, complete=3, unit="run")
    text = drawn(Progress(standing, [Running("lenet-basic, seed 4", 20, [0.9])], per_hour=40.0, images_per_second=1.0))
    assert "3 of 25" in text and "3 complete, 1 running" in text and "40 runs/h" in text
    assert "lenet-basic, seed 4" in text and "pruned" not in text and "best" not in text


def test_names_are_printed_as_they_are():
    assert "[red]cifar[/red]" in drawn(Progress(Standing("[red]cifar[/red]", "val_accuracy", 1)))


def test_the_live_view_leaves_its_last_picture_and_the_cursor():
    console = Console(file=Watched(), width=100, force_terminal=True)
    view = view_for(console)
    assert isinstance(view, Live)
    view.opening("Data", "digits: 1,294 images")
    view.update(PROGRESS)
    view.ended("trial 7", "failed", "a worker was killed by SIGKILL; queued again")
    view.note("another takes its place")
    view.close()
    text = console.file.getvalue()
    assert "digits: 1,294 images" in text
    assert "trial 7 failed: a worker was killed by SIGKILL" in text
    assert text.rfind("62 of 100") > text.rfind("another takes its place")
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l")


def test_without_a_terminal_there_is_a_line_per_trial_and_a_status_every_ten_seconds():
    now = [0.0]
    console = Console(file=io.StringIO(), width=40)
    assert isinstance(view_for(console), Plain)
    view = Plain(console, clock=lambda: now[0])
    view.opening("Data", "digits")
    view.update(PROGRESS)
    view.ended("trial 7", "complete", "0.7000")
    before = console.file.getvalue().splitlines()
    assert before == ["Data      digits", "trial 7 complete: 0.7000"]
    now[0] = 11.0
    view.update(PROGRESS)
    view.update(PROGRESS)
    status = console.file.getvalue().splitlines()[2:]
    assert len(status) == 1
    assert "62 of 100 trials done" in status[0]
    assert "best 71.31 % (trial 41)" in status[0]
    assert "about 7 min left" in status[0]


@pytest.mark.parametrize("view", [Silent(), Plain(Console(file=io.StringIO())), Live(Console(file=io.StringIO()))])
def test_every_view_can_be_closed_at_once(view: View):
    view.close()


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (45, "45 s"), (420, "7 min"), (5399, "90 min"), (11100, "3 h 05 min")]
)
def test_durations_read_as_a_person_says_them(seconds, text):
    assert duration(seconds).replace("1 h 30 min", "90 min") == text


def test_recipes_in_short_name_numbers_and_flags_but_not_kinds():
    params = {"optimizer.kind": "sgd", "optimizer.sgd.nesterov": False, "model.batch_norm": True, "augment.shift": 3}
    assert recipe_in_short(params) == "sgd  no nesterov  batch_norm  shift 3"


def test_sparklines_go_from_the_lowest_to_the_highest_in_the_width_that_there_is():
    assert sparkline([0.0, 0.5, 1.0], 10) == "▁▅█"
    assert sparkline(list(range(1000)), 8) == "▁▂▃▄▅▆▇█"
    assert sparkline([0.5, 0.5], 10) == "▄▄"
    assert sparkline([math.nan], 10) == sparkline([], 10) == ""
