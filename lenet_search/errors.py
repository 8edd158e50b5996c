"""The exceptions for users. The command line prints the message and exits with `exit_code`.

LenetSearchError
├── StudyFileError      a study or recipe file is invalid (reports every problem at once)
├── DefinitionChanged   the storage contains a study of this name with another definition
├── DataError           a data set is missing, damaged or of the wrong shape
├── ResultError         there is no such study, no complete trial, or no weights
└── RunError            a search cannot continue: workers that keep dying
    └── StorageError    a storage cannot be opened, does not answer, or is locked
"""

from collections.abc import Sequence


class LenetSearchError(Exception):
    """Base class. The message says what is wrong, where, and what to do."""

    exit_code = 2


class StudyFileError(LenetSearchError):
    """One or more problems in a study file, one entry of `problems` each."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


class DefinitionChanged(LenetSearchError):
    """The stored definition of a study differs from that in the file."""


class DataError(LenetSearchError):
    """A data set cannot be used."""


class ResultError(LenetSearchError):
    """The requested result does not exist."""


class RunError(LenetSearchError):
    """A search cannot start or continue."""

    exit_code = 1


class StorageError(RunError):
    """A storage cannot be used, or not any more."""
