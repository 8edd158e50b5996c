"""Tests compute as workers do: with one thread each, and without TensorFlow's rewriting of graphs.

Compiling is most of what these tests take, and a quarter less so (measured 2026-11, two cores).
"""

from lenet_search.engine import backend

backend.limit_threads(1)
