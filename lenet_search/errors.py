"""What can go wrong for a user, as a tree. The command line prints the message and leaves with `exit_code`.

LenetSearchError
├── StudyFileError      a study or recipe file does not say what it should (every problem at once)
├── DefinitionChanged   the storage holds a study of this name with another definition
├── DataError           a data set is missing, damaged or of the wrong shape
├── ResultError         a study has nothing to show: no such study, no complete trial, lost weights
└── RunError            a search cannot go on: no storage, workers that keep dying
"""

from collections.abc import Sequence


class LenetSearchError(Exception):
    """Base of every error that a user sees: the message says what, where and what to do."""

    exit_code = 2


class StudyFileError(LenetSearchError):
    """One or more problems in a study file, one line of `problems` each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class DefinitionChanged(LenetSearchError):
    """The stored definition of a study differs from the one that was read."""


class DataError(LenetSearchError):
    """A data set cannot be used as it is."""


class ResultError(LenetSearchError):
    """There is no result of the kind that was asked for."""


class RunError(LenetSearchError):
    """A search cannot start or cannot go on."""

    exit_code = 1
