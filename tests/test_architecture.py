"""The house: what may import what, and what a start of the command line may cost."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "lenet_search"
# From top to bottom; a file imports only from rows below its own, and from its own row. Networks are declared below
# recipes, which name them; as Keras models they stand above, since a recipe says how.
ROWS = [
    "__main__",
    "cli",
    "__init__",
    "api",
    "experiments",
    "search",
    "results",
    "crew",
    "model",
    "starting",
    "engine",
    "networks.plain",
    "storage",
    "study",
    "structure",
    "space",
    "data",
    "look",
    "frozen",
    "run",
    "recipe",
    "networks",
    "keras_settings",
    "machine",
    "quiet",
    "untrusted",
    "whole",
    "errors",
]
# Each decides which run a crew trains next, or looks at what came of that; none needs another.
SIBLINGS = {"experiments", "search", "results"}
# Who may import a slow package (seconds) as soon as it is imported itself.
MAY_START_WITH = {
    "tensorflow": {"engine", "networks"},
    "keras": {"engine", "networks", "networks.plain"},
    "optuna": {"search", "results", "storage"},
    "plotly": {"results", "experiments", "look"},
}
FILES = sorted(PACKAGE.rglob("*.py"))


def row_of(module: str) -> str:
    """The row of "lenet_search.recipe.model" is "recipe"; the package itself is "__init__"."""
    if module == "lenet_search.networks.plain":
        return "networks.plain"
    return [*module.split("."), "__init__"][1]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts)


def imported(tree: ast.AST, module: str) -> Iterator[str]:
    """Full names of the modules that `tree` imports, wherever in the file; relative ones are resolved."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*module.split(".")[: -node.level], base]).rstrip(".")
            if base == "lenet_search":  # `from lenet_search import study` means a module
                for alias in node.names:
                    if alias.name != "__version__":  # a plain text that everyone may read
                        yield f"{base}.{alias.name}" if alias.name in ROWS else base
            else:
                yield base


def at_import(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements that run when a file is imported: not those in functions, nor those for type checkers."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.If) and ast.unparse(node.test).removeprefix("typing.") == "TYPE_CHECKING":
            waiting.extend(node.orelse)
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        waiting.extend(ast.iter_child_nodes(node))


def test_every_file_has_a_row():
    assert {row_of(module_of(path)) for path in FILES} == set(ROWS)


def test_no_two_files_have_one_name_for_two_things():
    """A command's file may be called as what it runs, and each package writes its documents' table in `table`."""
    names = [path.stem for path in FILES if path.parent.name != "cli" and path.stem not in ("__init__", "table")]
    assert len(names) == len(set(names)), sorted({name for name in names if names.count(name) > 1})


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_imports_go_only_downward(path):
    module = module_of(path)
    own = row_of(module)
    names = {
        name
        for name in imported(ast.parse(path.read_text(encoding="utf-8")), module)
        if name.split(".")[0] == "lenet_search" and row_of(name) != own
    }
    upward = [name for name in names if ROWS.index(row_of(name)) < ROWS.index(own)]
    assert not upward, f"{module} is in row {own!r}, which stands below {upward}"
    beside = [name for name in names if {own, row_of(name)} <= SIBLINGS]
    assert not beside, f"{module} imports its siblings {beside}"


@pytest.mark.parametrize("path", FILES, ids=module_of)
def test_slow_packages_wait_until_they_are_needed(path):
    module = module_of(path)
    tree = ast.Module(list(at_import(ast.parse(path.read_text(encoding="utf-8")))), [])
    roots = {name.split(".")[0] for name in imported(tree, module)}
    early = {package for package in roots & set(MAY_START_WITH) if row_of(module) not in MAY_START_WITH[package]}
    assert not early, f"{module} imports {sorted(early)} when it is imported; do so in the function that needs it"


def test_these_checks_see_what_they_look_for():
    tree = ast.parse(
        "import tensorflow as tf\n"
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import optuna\n"
        "try:\n    from lenet_search import cli, __version__\nexcept ImportError:\n    pass\n"
        "def later():\n    from ..search.plan import plan\n    import keras.ops\n"
    )
    everywhere = set(imported(tree, "lenet_search.study.reading"))
    first = set(imported(ast.Module(list(at_import(tree)), []), "lenet_search.study.reading"))
    assert first == {"tensorflow", "typing", "lenet_search.cli"}
    assert everywhere == first | {"optuna", "keras.ops", "lenet_search.search.plan"}
    beside = ast.parse("from .reading import read\nfrom .. import cli")
    assert set(imported(beside, "lenet_search.study.__init__")) == {"lenet_search.study.reading", "lenet_search.cli"}


def python(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)


def test_the_command_line_starts_without_tensorflow_and_optuna():
    code = "import sys, lenet_search.cli; print(*sys.modules)"
    loaded = python(code)
    assert loaded.returncode == 0, loaded.stderr
    roots = {name.split(".")[0] for name in loaded.stdout.split()}
    assert "typer" in roots
    assert not roots & {"tensorflow", "keras", "optuna", "plotly", "numpy"}


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["reproduce", "--help"]])
def test_help_answers_without_tensorflow_and_optuna(arguments):
    code = (
        "import sys, atexit\n"
        "def loaded():\n"
        "    print(sorted({'tensorflow', 'keras', 'optuna', 'plotly'} & set(sys.modules)), file=sys.stderr)\n"
        "atexit.register(loaded)\n"
        "from lenet_search.cli import app\n"
        "app()\n"
    )
    answer = python(code, *arguments)
    assert answer.returncode == 0, answer.stderr
    assert "--help" in answer.stdout
    assert answer.stderr.splitlines()[-1] == "[]"


def test_importing_the_package_costs_next_to_nothing():
    loaded = python("import sys, lenet_search; print(*sys.modules)")
    assert loaded.returncode == 0, loaded.stderr
    assert not {name.split(".")[0] for name in loaded.stdout.split()} & {"tensorflow", "optuna", "numpy", "typer"}
