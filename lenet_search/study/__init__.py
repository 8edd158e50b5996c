"""The study language: a TOML file in which a value fixes a hyperparameter and a range searches it.

`docs/studies.md` documents the format. `read` returns a `Definition`, or reports every problem of a file at once.
`read_recipe` and `write_recipe` are for files that fix every value. `write_study` writes a stored study.
"""

from lenet_search.study.claim import Claim
from lenet_search.study.component import Component
from lenet_search.study.confirming import Confirming
from lenet_search.study.definition import METRICS, Definition, differences, entry_text
from lenet_search.study.locate import local, shipped, title
from lenet_search.study.option import pruner_names, read_pruner
from lenet_search.study.reading import read, read_recipe, readable
from lenet_search.study.seeds import Seeds
from lenet_search.study.settings import duration
from lenet_search.study.start import value_problem
from lenet_search.study.writing import write_recipe, write_study

__all__ = [
    "METRICS",
    "Claim",
    "Component",
    "Confirming",
    "Definition",
    "Seeds",
    "differences",
    "duration",
    "entry_text",
    "local",
    "pruner_names",
    "read",
    "read_pruner",
    "read_recipe",
    "readable",
    "shipped",
    "title",
    "value_problem",
    "write_recipe",
    "write_study",
]
