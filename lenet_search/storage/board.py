"""What optuna-dashboard shows of a study in addition to its own plots: notes and figures, written by its own functions.

Both are attributes of the study, in pieces that a database can hold. All attributes are read once, and only those that
differ are written. A note that a person has edited stays as it is: ours end with a digest of their text, invisible in
Markdown. Whoever empties a note gets a new one.
"""

import hashlib
import math
import re
import time
from copy import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lenet_search.storage.batched import Batched

if TYPE_CHECKING:
    import optuna
    import plotly.graph_objects as go
    from optuna.trial import FrozenTrial

OF_A_TRIAL = re.compile(r"dashboard:(\d+):note_ver")  # attribute of the study: the version of a trial's note
SEAL = re.compile(r"\n\n\[//\]: # \(lenet-search ([0-9a-f]{12})\)\n\Z")


class Board:
    """The notes and figures of one study. Nothing is stored before `write`."""

    def __init__(self, study: "optuna.Study") -> None:
        self._storage, self._study_id = study._storage, study._study_id
        self._before = dict(self._storage.get_study_system_attrs(self._study_id))
        self._attributes = _Attributes(dict(self._before))
        self._study = copy(study)
        self._study._storage = self._attributes  # type: ignore[assignment]  # all that the dashboard's functions need

    def noted(self) -> set[int]:
        """The ids of the trials that have had a note."""
        return {int(found[1]) for key in self._attributes.now if (found := OF_A_TRIAL.fullmatch(key))}

    def put_note(self, text: str, trial: "FrozenTrial | None" = None) -> None:
        """Write a note in Markdown for the study or a trial, unless it is there or a person has written another."""
        from optuna_dashboard import save_note

        where = self._study if trial is None else self._noted(trial)
        before, now = _note_of(where), _sealed(text)
        if before != now and (not before or _is_ours(before)):
            save_note(where, now)

    def put_figure(self, name: str, figure: "go.Figure") -> None:
        """Write a figure in the place of the one of this name: letters, digits and hyphens."""
        from optuna_dashboard import save_plotly_graph_object

        save_plotly_graph_object(self._study, figure, graph_object_id=name)

    def write(self, seconds: float = math.inf) -> int:
        """Store what has changed, in the order in which it was put; returns the number of attributes written.

        After `seconds`, notes of trials are left to the next time: a database takes a while for thousands of them.
        """
        changed = {key: value for key, value in self._attributes.now.items() if self._before.get(key) != value}
        deadline, written = time.monotonic() + seconds, 0
        for key, value in changed.items():
            if OF_A_TRIAL.fullmatch(key) and time.monotonic() > deadline:  # the first attribute of a note
                break
            self._storage.set_study_system_attr(self._study_id, key, value)
            written += 1
        if isinstance(self._storage, Batched):
            self._storage.flush()
        return written

    def _noted(self, trial: "FrozenTrial") -> "_Noted":
        return _Noted(self._attributes, self._study, trial._trial_id)


@dataclass
class _Attributes:
    """What the dashboard's functions use of a storage: the system attributes of a study, as they will be."""

    now: dict[str, Any]

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        return self.now

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        self.now[key] = value


@dataclass
class _Noted:
    """What the dashboard's functions use of a trial. They take Optuna's `Trial`, which a trial that has ended lacks."""

    storage: _Attributes
    study: "optuna.Study"
    _trial_id: int


def _note_of(where: Any) -> str:
    from optuna_dashboard import get_note

    return str(get_note(where))


def _sealed(text: str) -> str:
    text = text.strip("\n")
    return f"{text}\n\n[//]: # (lenet-search {_digest(text)})\n"


def _is_ours(note: str) -> bool:
    seal = SEAL.search(note)
    return seal is not None and seal[1] == _digest(note[: seal.start()])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
