"""How the recipes of the portfolio are chosen."""

import tomllib
from types import SimpleNamespace

import portfolio

from lenet_search.study.portfolio import by_path

ACCURACIES = {
    "digits": [0.9, 0.8, 0.7, 0.6],
    "mnist": [0.6, 0.7, 0.9, 0.8],
    "mnist-first": [0.6, 0.7, 0.9, 0.8],
}
SOURCES = ("digits", "digits", "mnist", "mnist-first")


def test_the_regret_is_none_for_the_best_candidate_and_one_from_the_median_on():
    (found,) = portfolio.regrets({"a": [0.9, 0.5, 0.7, 0.8, 0.6]}).values()
    assert [round(each, 9) for each in found] == [0.0, 1.0, 1.0, 0.5, 1.0]


def test_where_all_candidates_are_alike_none_is_regretted():
    assert portfolio.regrets({"a": [0.5, 0.5, 0.5]}) == {"a": [0.0, 0.0, 0.0]}


def test_each_recipe_is_the_one_that_adds_most_to_those_before_it():
    chosen = portfolio.greedy(portfolio.regrets(ACCURACIES), range(4), 2)
    assert chosen == [2, 0]  # the best of two data sets, then the best of the third


def test_a_portfolio_has_no_recipe_twice_and_no_more_than_there_are():
    assert sorted(portfolio.greedy(portfolio.regrets(ACCURACIES), range(4), 9)) == [0, 1, 2, 3]


def test_what_is_left_out_leaves_neither_candidates_nor_figures_and_takes_its_halves_along():
    assert portfolio.left_out("mnist", ACCURACIES, SOURCES, 2) == [0, 1]
    assert portfolio.left_out("mnist-first", ACCURACIES, SOURCES, 2) == [0, 1]
    assert set(portfolio.left_out("digits", ACCURACIES, SOURCES, 2)) == {2, 3}


def test_the_portfolio_is_written_with_its_kinds_and_what_is_not_a_default():
    values = {
        "model.activation": "relu",
        "regularize.dropout": 0.0,
        "regularize.l2": 0.000123456,
        "optimizer.kind": "sgd",
        "optimizer.sgd.momentum": 0.91234,
    }
    text = portfolio.written([0], [("digits", values)])
    (table,) = tomllib.loads(text)["recipe"]
    assert dict(by_path(table)) == {
        "model.activation": "relu",
        "regularize.l2": 0.000123,
        "optimizer.kind": "sgd",
        "optimizer.sgd.momentum": 0.912,
    }


def test_of_a_pruned_trial_its_last_report_counts():
    assert portfolio.last(SimpleNamespace(value=None, intermediate_values={1: 0.5, 2: 0.4})) == 0.4
    assert portfolio.last(SimpleNamespace(value=None, intermediate_values={})) == 0.0
    assert portfolio.last(SimpleNamespace(value=0.3, intermediate_values={1: 0.5, 2: 0.3})) == 0.3
