"""Study files from a grammar: every table and key of the language, with legal, nearly legal and wild values."""

import inspect
from collections.abc import Iterable
from random import Random
from typing import Any

from lenet_search.recipe import FIELDS, Field
from lenet_search.study import METRICS
from lenet_search.study.component import classes
from lenet_search.study.confirming import KEYS as CONFIRM
from lenet_search.study.settings import KEYS as STUDY
from lenet_search.study.toml_text import key_text, value_text

NUMBERS: tuple[Any, ...] = (
    0, 1, 2, 3, 10, 100, -1, 2**31, 2**32, 2**63 - 1, 2**63, -(2**63), 10**30, 10**5000, 0.0, -0.0, 0.1, 0.5,
    1.0, 1.5, -1.0,
    1e-320, 1e308, 1e-9, float("nan"), float("inf"), float("-inf"), 10_000_000, 1_000_000_000,
)  # fmt: skip
WILD: tuple[Any, ...] = (
    *NUMBERS, True, False, "", "x", "adam", "30m", "é\u202e", "\x7f", "a" * 5000, "../x", [], [[]], [1, "x"],
    [0.5] * 50, {},
    {"x": 1}, {"kind": "x"}, {"low": 1}, {"choices": []},
)  # fmt: skip
RAW = (
    "1979-05-27", "07:32:00", "0xffffffffffffffffffff", "1e400", "'''\n'''", "[" * 300, "[" * 300 + "]" * 300,
    "{a={a={a={a=1}}}}", "nan", "+inf", "1_000", "'\\'", '"\\ud800"',
)  # fmt: skip


class Grammar:
    """Writes study files.

    Args:
        rng: draws what is written
        wild: share of values that are not the kind of value that belongs there
    """

    def __init__(self, rng: Random, wild: float) -> None:
        self._rng = rng
        self._wild = wild

    def study_file(self) -> str:
        """The text of a study file."""
        rng, lines = self._rng, []
        if rng.random() < 0.7:
            lines += ["[study]", *(f"{key} = {self._setting(key)}" for key in self._some(STUDY, 4))]
        fields = self._some(FIELDS.values(), rng.choice((1, 4, 12)))
        for section in dict.fromkeys(field.section for field in fields):
            lines.append(f"[{section}]")
            inside = [field for field in fields if field.section == section]
            branches = dict.fromkeys(field.branch for field in inside if field.branch)
            if branches and rng.random() < 1 - self._wild:
                inside = [field for field in inside if not field.path.endswith(".kind")]
                lines.append(f"kind = {{ choices = {value_text(list(branches))} }}")
            lines += [f"{field.path.partition('.')[2]} = {self.entry(field)}" for field in inside]
        if rng.random() < 0.2:
            lines += [
                "[confirm]",
                *(f"{key} = {self._or_wild(rng.choice(('1', '2', '5')))}" for key in self._some(CONFIRM, 3)),
            ]
        if rng.random() < 0.2:
            lines += ["[claim]", 'source = "a paper"', f"test_accuracy = {self._or_wild('0.99')}"]
        for _ in range(rng.choice((0, 0, 0, 1, 2))):
            lines += [
                "[[start]]",
                *(
                    f"{each.path} = {self._plain(each)}"
                    for each in self._some([each for each in fields if not each.branch] or fields, 3)
                ),
            ]
        if rng.random() < self._wild / 2:
            rng.shuffle(lines)
        return "\n".join(lines) + "\n"

    def override(self) -> str:
        """The text after `--set`."""
        field = self._rng.choice(list(FIELDS.values()))
        text = f"{field.path}={self.entry(field)}"
        if self._rng.random() < self._wild:
            others = (f"study.{self._rng.choice(list(STUDY))}={self._value()}", f"start={self._value()}",
            "a..b=1", "", "=",
                      f"{field.section}={self._value()}", text.replace("=", "", 1))  # fmt: skip
            return self._rng.choice(others)
        return text

    def entry(self, field: Field) -> str:
        """A value, a range or choices for a hyperparameter."""
        legal = field.legal
        number = legal.type in (int, float) and legal.items is None
        match self._rng.randrange(5):
            case 0 | 1 if number:
                low, high = sorted((self._number(field), self._number(field)))
                if low == high and self._rng.random() > self._wild:
                    return value_text(low)
                more = self._rng.choice(("", "", ", log = true", f", step = {value_text(self._number(field))}"))
                return f"{{ low = {self._or_wild(value_text(low))}, high = {self._or_wild(value_text(high))}{more} }}"
            case 2:
                return f"{{ choices = [{', '.join(self._plain(field) for _ in range(self._rng.choice((1, 2, 5))))}] }}"
        return self._plain(field)

    def _some(self, names: Iterable[Any], most: int) -> list[Any]:
        names = list(names)
        return self._rng.sample(names, min(len(names), self._rng.randint(1, most)))

    def _setting(self, key: str) -> str:
        match key:
            case "sampler" | "pruner":
                return self._or_wild(self._component(key, 2))
            case "metric":
                return self._or_wild(value_text(self._rng.choice(list(METRICS))))
            case "seeds":
                return self._or_wild(self._rng.choice(("2", "{ first = 1, more = 4, best = 0.25 }", "1024")))
            case "repeat" | "reference":
                return self._or_wild(self._rng.choice(("true", "false")))
            case "timeout":
                return self._or_wild(self._rng.choice(('"30m"', "90", '"1h30m"')))
            case "direction":
                return self._or_wild('"maximize"')
        return self._or_wild(self._rng.choice(("1", "7", "100", "4294967295")))

    def _component(self, role: str, depth: int) -> str:
        """A sampler or pruner with arguments of its own: those that it requires, and some others."""
        kind = self._rng.choice(list(classes(role)))
        inside = [f'kind = "{kind}"']
        for name, parameter in inspect.signature(classes(role)[kind]).parameters.items():
            if parameter.default is not parameter.empty and self._rng.random() < 0.7:
                continue
            annotation = str(parameter.annotation)
            if "BaseSampler" in annotation or "BasePruner" in annotation:
                inner = (
                    self._component("sampler" if "BaseSampler" in annotation else "pruner", depth - 1) if depth else "1"
                )
                value = self._or_wild(inner)
            elif name in ("search_space", "fixed_params", "x0"):
                fields = self._some(FIELDS.values(), 3)
                listed = name == "search_space"
                values = (value_text([each.default] * 2) if listed else self._plain(each) for each in fields)
                pairs = (f"{key_text(each.path)} = {value}" for each, value in zip(fields, values, strict=True))
                value = self._or_wild(f"{{ {', '.join(pairs)} }}")
            elif "bool" in annotation:
                value = self._or_wild(self._rng.choice(("true", "false")))
            elif "int" in annotation:
                value = self._or_wild(self._rng.choice(("0", "1", "2", "3", "10", "1000000000")))
            elif "float" in annotation:
                value = self._or_wild(self._rng.choice(("0.0", "0.1", "0.5", "1.0", "25.0", "1e-300")))
            elif self._rng.random() < 0.9:
                continue  # what a study file cannot set
            else:
                value = self._value()
            inside.append(f"{name} = {value}")
        return f"{{ {', '.join(inside)} }}"

    def _plain(self, field: Field) -> str:
        legal = field.legal
        if legal.choices:
            return self._or_wild(value_text(self._rng.choice(legal.choices)))
        if legal.type is bool:
            return self._or_wild(self._rng.choice(("true", "false")))
        if legal.items is not None:
            return self._or_wild(
                value_text(sorted(self._rng.sample((1, 2, 5, 30, 60, 10**9), self._rng.choice((1, 2, 3)))))
            )
        if legal.type is str:
            return self._or_wild(value_text(self._rng.choice((field.default, "x", "é\u202e", "../x", "a" * 300))))
        return self._or_wild(value_text(self._number(field)))

    def _number(self, field: Field) -> Any:
        """A number that is legal for a hyperparameter, often one at its limits."""
        legal, default = field.legal, field.default
        low = 0 if legal.low is None else legal.low
        high = 10**9 if legal.high is None else legal.high
        drawn = self._rng.choice((default, low, high, low + (high - low) * self._rng.random() ** 9, 2**53, 1e-300))
        if legal.type is int:
            drawn = int(drawn)
        elif not legal.count_or_share:
            drawn = float(drawn)
        return drawn if legal.allows(drawn) or self._rng.random() < self._wild else default

    def _or_wild(self, text: str) -> str:
        return self._value() if self._rng.random() < self._wild else text

    def _value(self) -> str:
        return self._rng.choice(RAW) if self._rng.random() < 0.05 else value_text(self._rng.choice(WILD))
