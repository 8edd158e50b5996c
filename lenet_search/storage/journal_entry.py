"""The fields of a journal's entries, checked as they are read: Optuna takes any, and fails wherever they are used."""

from collections.abc import Callable, Mapping
from typing import Any

from lenet_search.errors import StorageError


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_numbers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_number, value))


# By name (optuna/storages/journal/_storage.py), those whose values Optuna passes on unseen.
FIELDS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    "study_name": (lambda value: isinstance(value, str), "a string"),
    "param_name": (lambda value: isinstance(value, str), "a string"),
    "values": (lambda value: value is None or _is_numbers(value), "null or a list of numbers"),
    "value": (lambda value: value is None or _is_number(value), "null or a number"),
    "intermediate_value": (_is_number, "a number"),
    "step": (lambda value: type(value) is int, "a whole number"),
    "intermediate_values": (
        lambda value: isinstance(value, dict) and all(key.lstrip("-").isdecimal() for key in value)
        and all(map(_is_number, value.values())), "numbers by step",
    ),
    "user_attr": (lambda value: isinstance(value, dict), "a table"),
    "system_attr": (lambda value: isinstance(value, dict), "a table"),
    "user_attrs": (lambda value: isinstance(value, dict), "a table"),
    "system_attrs": (lambda value: isinstance(value, dict), "a table"),
}  # fmt: skip


class Check:
    """Checks the entries of one journal in their order.

    Args:
        name: of the journal, for messages
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._objectives = 1  # the most that a study has

    def __call__(self, number: int, entry: Mapping[str, Any]) -> None:
        """Check the entry with this number, counted from 1.

        Raises:
            StorageError: a field does not have its type.
        """
        for name in entry.keys() & FIELDS.keys():
            is_legal, expected = FIELDS[name]
            if not is_legal(entry[name]):
                raise self._damaged(number, name, expected, entry[name])
        if isinstance(entry.get("directions"), list):
            self._objectives = max(self._objectives, len(entry["directions"]))
        if len(entry.get("values") or ()) > self._objectives:
            raise self._damaged(number, "values", "a number for each objective", entry["values"])

    def _damaged(self, number: int, name: str, expected: str, received: Any) -> StorageError:
        shown = repr(received)
        return StorageError(
            f"{self._name} is damaged: entry {number}: {name}: expected {expected}; received "
            f"{shown if len(shown) <= 100 else shown[:100] + ' ...'}; remove this study with its entries, or restore a "
            "copy of the file"
        )
