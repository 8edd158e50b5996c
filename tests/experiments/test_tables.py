import json
from pathlib import Path

from lenet_search.experiments.compare import compare
from lenet_search.experiments.tables import write_comparison, write_page, write_tables
from lenet_search.study import Claim
from tests.experiments.made import result

RESULTS = [
    result("good", (900, 920, 910), Claim("Somebody 1998.", 0.9, note="A note.", comparisons=("both",))),
    result("bad <b>", (800, 790, 795), Claim("Somebody else.", 0.9, comparisons=("both",))),
]


def test_the_table_holds_reported_accuracy_and_result_with_n_and_interval(tmp_path: Path) -> None:
    markdown, machine = write_tables(RESULTS, tmp_path)
    lines = markdown.read_text().splitlines()
    assert lines[2] == ("| good | digits | 90.00 % | 91.00 % (88.52 to 93.48) | 3 | reached | 61,706 | 2 | 38 |")
    assert "- `good`: Somebody 1998. A note." in lines
    assert any(line.startswith("| bad <b> against good | -11.50 (") for line in lines)
    answer = json.loads(machine.read_text())
    assert [each["name"] for each in answer["recipes"]] == ["good", "bad <b>"]
    assert answer["comparisons"][0]["pairs"][0]["verdict"] == "good is better than bad <b>"


def test_the_page_stands_alone_and_has_all_pictures(tmp_path: Path) -> None:
    page = write_page(RESULTS, tmp_path).read_text()
    assert "Reported accuracy, and ours" in page
    assert "Error by epoch on digits" in page
    assert "Comparison: both" in page
    assert "What good is; " in page
    assert "bad &lt;b&gt;" in page
    assert 'src="http' not in page


def test_a_comparison_is_written_as_a_page_and_for_programs(tmp_path: Path) -> None:
    machine, page = write_comparison(compare("both", RESULTS, "val_accuracy"), tmp_path / "new")
    assert json.loads(machine.read_text())["metric"] == "val_accuracy"
    assert "validation accuracy by seed" in page.read_text()
