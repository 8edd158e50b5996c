"""What only a browser can tell: that the report fits a phone and a wide screen."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import optuna
import pytest

from lenet_search.results.report import report_page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
# A page in a frame tells the page around it how it looks: a window has at least 500 pixels.
MEASURE = """<script>
addEventListener("load", () => setTimeout(() => {
  const labels = [...document.querySelectorAll("#parallel .axis-title")].map(each => each.getBoundingClientRect())
    .filter(each => each.width);
  const box = document.getElementById("parallel").closest(".wide").getBoundingClientRect();
  parent.postMessage({
    width: innerWidth,
    page: document.documentElement.scrollWidth,
    box: [box.left, box.right],
    labels: labels.map(each => [each.left, each.right]).sort((a, b) => a[0] - b[0]),
  }, "*");
}, 500));
</script>"""
FRAMES = """<script>
const found = [];
addEventListener("message", ({data}) => { found.push(data); document.body.dataset.found = JSON.stringify(found); });
</script><body>
<iframe src="report.html" width="400" height="900"></iframe>
<iframe src="report.html" width="1400" height="900"></iframe>
"""


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium or Chrome")
def test_a_report_of_17_hyperparameters_fits_400_pixels_and_1400(cifar_study: optuna.Study, tmp_path: Path) -> None:
    phone, screen = looked_at(report_page(cifar_study), tmp_path)
    assert phone["page"] <= 400  # what is wider scrolls inside its section
    assert screen["page"] <= 1400
    assert len(screen["labels"]) == 11
    left, right = screen["box"]
    assert all(left <= start and end <= right for start, end in screen["labels"])
    ends = [end for _, end in screen["labels"]]
    starts = [start for start, _ in screen["labels"]]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False)), "labels overlap"


def looked_at(page: str, folder: Path) -> list[dict[str, Any]]:
    """How the page looks in frames of 400 and of 1,400 pixels."""
    (folder / "report.html").write_text(page.replace("</body>", f"{MEASURE}</body>"), encoding="utf-8")
    frames = folder / "frames.html"
    frames.write_text(FRAMES, encoding="utf-8")
    answer = subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
            "--virtual-time-budget=10000", "--dump-dom", frames.as_uri(),
        ],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    found = re.search(r'data-found="([^"]*)"', answer.stdout)
    assert found is not None, answer.stderr
    return sorted(json.loads(unescape(found[1])), key=lambda each: each["width"])
