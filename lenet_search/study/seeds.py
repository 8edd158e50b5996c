"""`study.seeds`: from how many seeds each trial is trained."""

from dataclasses import asdict, dataclass
from typing import Any

from lenet_search.recipe import Value
from lenet_search.study.source import Source

MOST = 1024  # seeds of a trial
_WORDS = f"a whole number from 1 to {MOST}, or a table such as {{ first = 1, more = 4, best = 0.25 }}"


@dataclass(frozen=True)
class Seeds:
    """Each trial is `first` runs, side by side; those among the `best` share so far get `more` before they are told."""

    first: int = 1
    more: int = 0
    best: float = 0.25

    @property
    def most(self) -> int:
        """The largest number of runs of a trial."""
        return self.first + self.more

    def words(self) -> str:
        """'2 seeds each, 5 more for the best 40 % so far'; empty for one seed."""
        if self == Seeds():
            return ""
        each = f"{self.first} seed{'' if self.first == 1 else 's'} each"
        return f"{each}, {self.more} more for the best {100 * self.best:g} % so far" if self.more else each

    def value(self) -> Value | dict[str, Value]:
        """As written in a study file."""
        return asdict(self) if self.more else self.first


def read_seeds(source: Source, given: Any) -> Seeds | None:
    """Read `study.seeds`; None if it is not legal, which is then reported."""
    if _is_whole(given, 1):
        return Seeds(given)
    if not isinstance(given, dict):
        source.report(("study", "seeds"), _WORDS, given)
        return None
    legal = True
    for key, value in given.items():
        place = ("study", "seeds", key)
        if key not in ("first", "more", "best"):
            legal = False
            source.report_unknown(place, ("first", "more", "best"))
        elif key == "best" and not _is_share(value):
            legal = False
            source.report(place, "a share above 0, up to 1", value)
        elif key != "best" and not _is_whole(value, 1):
            legal = False
            source.report(place, f"a whole number from 1 to {MOST}", value)
    if not legal:
        return None
    if "more" not in given:
        source.report(("study", "seeds"), f"more, the seeds that promising trials get, or {_WORDS}", given)
        return None
    found = Seeds(**given)
    if found.most > MOST:
        source.report(("study", "seeds"), f"at most {MOST} seeds, first and more together", given)
        return None
    return found


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= MOST


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0.0 < value <= 1.0
