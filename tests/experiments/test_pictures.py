from lenet_search.experiments.compare import compare
from lenet_search.experiments.pictures import claims_figure, comparison_figure
from lenet_search.study import Claim
from tests.experiments.made import result

CLAIM = Claim("Somebody 1998.", 0.9)


def test_hovering_over_a_result_shows_the_table_s_text_and_n() -> None:
    measured = claims_figure([result("three", (900, 920, 910), CLAIM), result("one", (900,), CLAIM)]).data[0]
    assert list(measured.customdata) == ["90.00 % (87.98 to 91.71), n = 1", "91.00 % (88.52 to 93.48), n = 3"]


def test_hovering_over_a_difference_shows_the_table_s_text_and_the_verdict() -> None:
    three = compare("c", [result("a", (900, 920, 910)), result("b", (800, 790, 795))], "test_accuracy")
    one = compare("c", [result("a", (900,)), result("b", (990,))], "test_accuracy")
    differences = [comparison_figure(each).data[-1] for each in (three, one)]
    assert [list(each.customdata) for each in differences] == [
        ["-11.50 (-15.23 to -7.77) points<br>a is better than b"],
        ["+9.00 points<br>no verdict at n = 1"],
    ]
    assert list(differences[1].error_x.array) == [0.0]
