"""The help of commands: text that fits every width, and examples that stay on lines of their own."""

import ast
import inspect
from collections.abc import Callable
from pathlib import Path

VERBATIM = "\b\n"  # before a paragraph: keep its lines as they are


def help_text(command: Callable[..., None]) -> str:
    """The docstring of a command, each paragraph in one line; from its file where `python -OO` has dropped it."""
    docstring = command.__doc__
    if docstring is None:
        tree = ast.parse(Path(command.__code__.co_filename).read_text(encoding="utf-8"))
        functions = (node for node in tree.body if isinstance(node, ast.FunctionDef))
        docstring = next(ast.get_docstring(node) or "" for node in functions if node.name == command.__name__)
    return "\n\n".join(" ".join(lines.split()) for lines in inspect.cleandoc(docstring).split("\n\n"))


def verbatim(text: str) -> str:
    """Text in which the paragraphs that are indented, such as examples, keep their lines."""
    return "\n\n".join(
        VERBATIM + part if part.startswith(" ") else " ".join(part.split()) for part in text.split("\n\n")
    )
