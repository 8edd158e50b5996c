"""Samplers and pruners of OptunaHub in use: what fails in them is their fault, and is said to be.

What `hub.py` loads is somebody's program. It may raise anything, end the process, return values outside a range, or
print where results belong.
"""

import contextlib
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lenet_search.errors import LenetSearchError, RunError
from lenet_search.study.hub import FAULTS, reason

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution


def guarded(found: Any, kind: str) -> type:
    """A subclass, since Optuna asks samplers and pruners what they are, that raises RunError where `found` fails."""
    made = _pruner(found, kind) if hasattr(found, "prune") else _sampler(found, kind)
    for name in ("__name__", "__qualname__", "__module__", "__doc__"):
        setattr(made, name, getattr(found, name))
    return made


def _sampler(found: Any, kind: str) -> type:
    class Sampler(found):  # type: ignore[misc]
        def before_trial(self, study: Any, trial: Any) -> None:
            with _blamed(kind):
                super().before_trial(study, trial)

        def infer_relative_search_space(self, study: Any, trial: Any) -> Any:
            with _blamed(kind):
                return super().infer_relative_search_space(study, trial)

        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> Any:
            with _blamed(kind):
                drawn = dict(super().sample_relative(study, trial, search_space))
            for name in drawn.keys() - search_space.keys():
                raise _failed(kind, f"it drew {name}, which it had not been asked for")
            return {name: _plain(kind, name, value, search_space[name]) for name, value in drawn.items()}

        def sample_independent(self, study: Any, trial: Any, param_name: str, param_distribution: Any) -> Any:
            with _blamed(kind):
                value = super().sample_independent(study, trial, param_name, param_distribution)
            return _plain(kind, param_name, value, param_distribution)

        def after_trial(self, study: Any, trial: Any, state: Any, values: Any) -> None:
            with _blamed(kind):
                super().after_trial(study, trial, state, values)

    return Sampler


def _pruner(found: Any, kind: str) -> type:
    class Pruner(found):  # type: ignore[misc]
        def prune(self, study: Any, trial: Any) -> bool:
            with _blamed(kind):
                return bool(super().prune(study, trial))

    return Pruner


@contextlib.contextmanager
def _blamed(kind: str) -> Iterator[None]:
    from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError

    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is for results
            yield
    except (LenetSearchError, StorageInternalError, UpdateFinishedTrialError):
        raise  # of the storage, and of what another process did there
    except FAULTS as error:
        said = reason(error)
        if "Study.stop" in said:  # Optuna's, where a sampler has tried every combination
            raise
        raise _failed(kind, f"{type(error).__name__}: {said}".removesuffix(f": {type(error).__name__}")) from error


def _plain(kind: str, name: str, value: Any, distribution: "BaseDistribution") -> Any:
    """The value as a plain number or choice: it may be one of numpy's.

    Raises:
        RunError: it is none of the distribution.
    """
    from optuna.distributions import CategoricalDistribution

    if not isinstance(value, str) or isinstance(distribution, CategoricalDistribution):
        with contextlib.suppress(ValueError, TypeError):
            internal = distribution.to_internal_repr(value)
            if distribution._contains(internal):
                return distribution.to_external_repr(internal)
    raise _failed(kind, f"it drew {name} = {value!r}, which is not in {distribution}")


def _failed(kind: str, reason: str) -> RunError:
    advice = "choose another kind, and a new --name"
    return RunError(f"{kind} failed, which is a fault of this package ({reason}); {advice}")
