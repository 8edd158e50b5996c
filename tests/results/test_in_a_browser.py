"""What only a browser can tell: that the report fits a phone, a wide screen and paper, and that its table works.

Screenshots and the printed report stay in the folder LENET_SEARCH_ARTIFACTS, if there is one.
"""

import json
import os
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from lenet_search.results.best import complete_trials
from lenet_search.results.report import report_page
from lenet_search.storage.ablated import write_ablated
from lenet_search.storage.trials import run_of
from tests.look.test_waterfall import ablated
from tests.results.conftest import trial_of

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PDFTOTEXT = shutil.which("pdftotext")
# A page in a frame tells the page around it how it looks: a window has at least 500 pixels.
MEASURE = """<script>
addEventListener("load", () => setTimeout(() => {
  const place = each => each.getBoundingClientRect();
  const labels = [...document.querySelectorAll("#parallel .axis-title")].map(place).filter(each => each.width);
  const box = place(document.getElementById("parallel").closest(".wide"));
  const plots = [...document.querySelectorAll(".plotly-graph-div")].filter(each => each.id !== "parallel");
  const cut = plots.flatMap(plot => [...plot.querySelectorAll(".main-svg text")].filter(each => {
    const text = place(each), around = place(plot.closest(".wide"));
    return text.width && (text.left < around.left - 1 || text.right > around.right + 1 ||
      text.top < around.top - 1 || text.bottom > around.bottom + 1);
  }).map(each => `${plot.id}: ${each.textContent}`));
  const rows = () => [...document.querySelectorAll(".rows tbody tr")].filter(row => !row.hidden);
  const firsts = () => rows().map(row => row.cells[0].textContent);
  const [trial, state, value] = document.querySelectorAll(".rows th button");
  const sorted = {};
  for (const [name, button] of [["rising", value], ["falling", value], ["state", state]]) {
    button.focus();
    sorted[`${name} is focused`] = document.activeElement === button;
    button.click();
    sorted[name] = firsts();
    sorted[`${name} aria`] = [...document.querySelectorAll(".rows th")].map(each => each.getAttribute("aria-sort"));
  }
  const filter = document.querySelector(".filter input");
  filter.value = "PRUNED dropout";
  filter.dispatchEvent(new Event("input"));
  parent.postMessage({
    width: innerWidth,
    page: document.documentElement.scrollWidth,
    box: [box.left, box.right],
    labels: labels.map(each => [each.left, each.right]).sort((a, b) => a[0] - b[0]),
    cut, sorted, filtered: firsts(), count: document.querySelector(".filter output").value,
  }, "*");
}, 1000));
</script>"""
FRAMES = """<script>
const found = [];
addEventListener("message", ({data}) => { found.push(data); document.body.dataset.found = JSON.stringify(found); });
</script><body style="margin: 0; display: flex; gap: 20px; align-items: start">
<iframe src="report.html" width="400" height="16000"></iframe>
<iframe src="report.html" width="1400" height="16000"></iframe>
"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium or Chrome")


@pytest.fixture
def study(cifar_study: optuna.Study) -> optuna.Study:
    """A study of 17 hyperparameters with an ablation, of which the last trial was pruned."""
    winner = complete_trials(cifar_study)[0]
    write_ablated(cifar_study, ablated("val_accuracy", path=True), run_of(winner).recipe)
    cifar_study.add_trial(trial_of(winner.params, 0.3, 40, TrialState.PRUNED, space=winner.distributions))
    return cifar_study


def test_a_report_of_17_hyperparameters_fits_400_pixels_and_1400_and_its_table_sorts_and_filters(
    study: optuna.Study, tmp_path: Path
) -> None:
    phone, screen = looked_at(report_page(study), tmp_path)
    assert phone["page"] <= 400  # what is wider scrolls inside its section
    assert screen["page"] <= 1400
    assert phone["cut"] == screen["cut"] == []
    assert len(screen["labels"]) == 11
    left, right = screen["box"]
    assert all(left <= start and end <= right for start, end in screen["labels"])
    ends = [end for _, end in screen["labels"]]
    starts = [start for start, _ in screen["labels"]]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False)), "labels overlap"
    for found in (phone, screen):
        works(found, study)


def works(found: dict[str, Any], study: optuna.Study) -> None:
    """The table sorts by a heading that the keyboard reaches, and filters."""
    last = {trial.number: list(trial.intermediate_values.values())[-1] for trial in study.trials}
    values = {number: f"{100 * value:.2f}" for number, value in last.items()}
    for name, sign in (("rising", 1), ("falling", -1)):
        assert found["sorted"][f"{name} is focused"]
        expected = sorted(values, key=lambda number: sign * float(values[number]))
        assert found["sorted"][name] == [str(number) for number in expected]
    assert found["sorted"]["rising aria"][:3] == ["none", "none", "ascending"]
    assert found["sorted"]["falling aria"][:3] == ["none", "none", "descending"]
    assert found["sorted"]["state"][-1] == "40"  # pruned comes after complete
    assert found["filtered"] == ["40"]
    assert found["count"] == "1 of 41"


@pytest.mark.skipif(PDFTOTEXT is None, reason="needs pdftotext")
def test_on_paper_all_trials_are_there_whatever_the_filter_hides_and_each_part_begins_a_page(
    study: optuna.Study, tmp_path: Path
) -> None:
    hide = 'const input = document.querySelector(".filter input"); input.value = "nothing has this";'
    hidden = f'<script>{hide} input.dispatchEvent(new Event("input"));</script></body>'
    file = artifacts(tmp_path) / "report.pdf"
    look(report_page(study).replace("</body>", hidden), tmp_path, f"--print-to-pdf={file}", "--no-pdf-header-footer")
    text = subprocess.run([str(PDFTOTEXT), "-layout", str(file), "-"], capture_output=True, text=True, check=True)
    pages = text.stdout.split("\f")
    assert "Show trials that contain" not in text.stdout
    for trial in study.trials:
        assert any(re.search(rf"(?m)^ *{trial.number} +{trial.state.name.lower()}", page) for page in pages)
    starts = [page.strip().splitlines()[0].strip() for page in pages if page.strip()]
    assert [start[:2] for start in starts if re.match(r"\d\. ", start)] == ["2.", "3.", "4.", "5.", "6.", "7."]


def looked_at(page: str, folder: Path) -> list[dict[str, Any]]:
    """How the page looks in frames of 400 and of 1,400 pixels, which a screenshot shows side by side."""
    frames = folder / "frames.html"
    frames.write_text(FRAMES, encoding="utf-8")
    look(page, folder, f"--screenshot={artifacts(folder) / 'report.png'}", "--window-size=1840,16000", file=frames)
    measured = page.replace("</body>", f"{MEASURE}</body>")
    answer = look(measured, folder, "--dump-dom", "--window-size=1840,1000", file=frames)
    found = re.search(r'data-found="([^"]*)"', answer.stdout)
    assert found is not None, answer.stderr
    return sorted(json.loads(unescape(found[1])), key=lambda each: each["width"])


def look(page: str, folder: Path, *options: str, file: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Open `file`, else the page, which is written beside it."""
    report = folder / "report.html"
    report.write_text(page, encoding="utf-8")
    return subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
            "--hide-scrollbars", "--virtual-time-budget=10000", *options, (file or report).as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip


def artifacts(folder: Path) -> Path:
    """Where screenshots go."""
    kept = Path(os.environ.get("LENET_SEARCH_ARTIFACTS", folder))
    kept.mkdir(parents=True, exist_ok=True)
    return kept
