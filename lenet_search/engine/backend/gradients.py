"""TensorFlow's gradients, also of functions that bring their own.

`tf.custom_gradient` would do for these, but within a program it enters each use in a list that lives as long as the
process, and with it the graph around it. Measured 2026-11: of 30 MiB that a worker grew by with every structure that it
had trained, 17 were such graphs.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

Tensor = Any
Backward = Callable[[Tensor], Sequence[Tensor]]  # from the gradient of a value to those of what it was computed from


@dataclass(frozen=True)
class _Use:
    """One call of a function that brings its own gradient."""

    arguments: tuple[Tensor, ...]
    value: Tensor
    backward: Backward


class _Recording:
    """A tape that ends at each such use: `gradients` carries on behind it."""

    def __init__(self, inputs: Any) -> None:
        self.tape = tf.GradientTape(persistent=True, watch_accessed_variables=False)
        self.uses: list[_Use] = []
        self._inputs = inputs

    def gradients(self, target: Tensor, upstream: Tensor = None) -> Any:
        """The gradients of `target`, itself with the gradient `upstream`, in the structure of the inputs."""
        sources = [*tf.nest.flatten(self._inputs), *(use.value for use in self.uses)]
        found = self.tape.gradient(target, sources, upstream)
        for use in reversed(self.uses):
            sources.pop()
            above = found.pop()
            if above is not None:
                more = self.tape.gradient(list(use.arguments), sources, list(use.backward(above)))
                found = [b if a is None else a if b is None else a + b for a, b in zip(found, more, strict=True)]
        zeros = [tf.zeros_like(x) if g is None else g for x, g in zip(sources, found, strict=True)]
        return tf.nest.pack_sequence_as(self._inputs, zeros)


_UNDER_WAY: list[_Recording | None] = [None]  # the innermost last; None: nothing is recorded


@contextmanager
def _under_way(recording: _Recording | None) -> Iterator[None]:
    _UNDER_WAY.append(recording)
    try:
        yield
    finally:
        _UNDER_WAY.pop()


def _recorded(function: Callable[[Any], Any], inputs: Any) -> tuple[Any, _Recording]:
    recording = _Recording(inputs)
    with recording.tape, _under_way(recording):
        recording.tape.watch(inputs)
        return function(inputs), recording


def value_and_gradients(function: Callable[[Any], tuple[Tensor, Any]], inputs: Any) -> tuple[Any, Any]:
    """`function(inputs)` is (what to differentiate, anything else); gives anything else, and the gradients."""
    (target, extra), recording = _recorded(function, inputs)
    return extra, recording.gradients(target)


def pulled(function: Callable[..., Tensor], upstream: Tensor, *arguments: Tensor) -> Sequence[Tensor]:
    """The gradients of the arguments, where `upstream` is that of `function(*arguments)`."""
    value, recording = _recorded(lambda given: function(*given), arguments)
    return recording.gradients(value, upstream)  # type: ignore[no-any-return]


def with_own_gradient(function: Callable[..., tuple[Tensor, Backward]]) -> Callable[..., Tensor]:
    """`function(*arguments)` is (value, backward); gives what computes the value, and has `backward` as its gradient.

    It has it for `value_and_gradients` and `pulled`; a tape from elsewhere sees what `function` computes.
    """

    def run(*arguments: Tensor) -> Tensor:
        recording = _UNDER_WAY[-1]
        if recording is None:
            return function(*arguments)[0]
        with recording.tape.stop_recording(), _under_way(None):
            value, backward = function(*arguments)
        recording.tape.watch(value)
        recording.uses.append(_Use(arguments, value, backward))
        return value

    return run
