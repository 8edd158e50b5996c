"""Reads a study file into a `Definition`, or reports all of its problems."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from lenet_search.errors import StudyFileError
from lenet_search.recipe import Recipe, Value
from lenet_search.space import Choice, Entry, Range, Space
from lenet_search.study.claim import read_claim
from lenet_search.study.combinations import report_combinations
from lenet_search.study.confirming import read_confirming
from lenet_search.study.definition import METRICS, Definition
from lenet_search.study.hyperparameters import read_entries
from lenet_search.study.locate import find
from lenet_search.study.overrides import apply
from lenet_search.study.rehearsal import report_failures
from lenet_search.study.sampling import report_unsuitable
from lenet_search.study.settings import read_settings
from lenet_search.study.source import Source
from lenet_search.study.start import read_starts

LONGEST_NAME = 100  # characters


def read(source: str | Path, *, overrides: Sequence[str] = (), name: str | None = None) -> Definition:
    """Read and validate a study file.

    Args:
        source: a path, or a NAME (`studies/NAME.toml` in the working directory, else a study in the package, else a
            recipe)
        overrides: `KEY=VALUE` strings that replace values of the file before validation
        name: the name of the study; by default, that of its file

    Raises:
        StudyFileError: with every problem of the file.
    """
    definition, _ = _read(find(source), overrides, name)
    return definition


def read_recipe(source: str | Path, *, overrides: Sequence[str] = ()) -> tuple[Definition, Recipe]:
    """Read a study file that fixes every value. A NAME is searched among the recipes first.

    Raises:
        StudyFileError: as in `read`, or if hyperparameters are searched; the message lists all of them.
    """
    definition, text = _read(find(source, "recipes"), overrides, None)
    for open_path in definition.space.searched():
        key = tuple(open_path.split("."))
        text.report(key, "a single value, since a recipe fixes every value", _raw(text, key))
    if text.problems:
        raise StudyFileError(text.problems)
    values: dict[str, Value] = {
        path: entry for path, entry in definition.space.entries.items() if not isinstance(entry, Range | Choice)
    }
    return definition, Recipe.from_values(values)


def readable(folder: Path) -> dict[str, Path]:
    """The study files in a folder by file name: those among its TOML files that can be read."""
    found = {}
    for path in sorted(folder.glob("*.toml")):
        with suppress(StudyFileError):
            read(path)
            found[path.name] = path
    return found


def _read(path: Path, overrides: Sequence[str], name: str | None) -> tuple[Definition, Source]:
    try:
        return _definition(path, overrides, _name(path.stem if name is None else name))
    except RecursionError:
        raise StudyFileError([f"{path}: tables are nested too deeply"]) from None


def _report_unvalidated(source: Source, entries: Mapping[str, Entry]) -> None:
    """Report a search without validation images, by which it would have to choose."""
    entry = entries.get("data.validation")
    least = entry.low if isinstance(entry, Range) else min(entry.choices) if isinstance(entry, Choice) else entry
    if least == 0:
        source.report(("data", "validation"), "1 or more images or a share of them, by which a search chooses", 0)


def _name(name: str) -> str:
    """Validate the name of a study, which is printed and used as a folder name."""
    if name.strip() in ("", ".", "..") or not name.isprintable() or set(name) & set("/\\") or len(name) > LONGEST_NAME:
        shown = repr(name if len(name) <= LONGEST_NAME else f"{name[:LONGEST_NAME]} ...")
        raise StudyFileError(
            [
                f"study name: expected up to {LONGEST_NAME} printable characters without a slash, since a folder is "
                f"named after it; received {shown}; choose another with --name"
            ]
        )
    return name


def _definition(path: Path, overrides: Sequence[str], name: str) -> tuple[Definition, Source]:
    source = Source(path)
    apply(source, overrides)
    settings = read_settings(source)
    entries = read_entries(source)
    start = read_starts(source, entries)
    claim = read_claim(source)
    confirming = read_confirming(source)
    if any(isinstance(entry, Range | Choice) for entry in entries.values()):
        _report_unvalidated(source, entries)
    if not source.problems:  # invalid values would make these checks misleading
        report_combinations(source, entries)
        report_unsuitable(source, settings.sampler, Space(entries))
    if not source.problems and "study" in source.values and {"sampler", "pruner"} & source.values["study"].keys():
        report_failures(source, settings.sampler, settings.pruner, Space(entries))
    if source.problems:
        raise StudyFileError(source.problems)
    definition = Definition(
        name=name,
        path=path,
        metric=settings.metric,
        direction=METRICS[settings.metric],
        trials=settings.trials,
        timeout=settings.timeout,
        seed=settings.seed,
        seeds=settings.seeds,
        sampler=settings.sampler,
        pruner=settings.pruner,
        space=Space(entries),
        start=start,
        claim=claim,
        confirm=confirming,
        repeat=settings.repeat,
        reference=settings.reference,
        portfolio=settings.portfolio,
    )
    return definition, source


def _raw(source: Source, path: tuple[str, ...]) -> object:
    value: object = source.values
    for part in path:
        value = value[part] if isinstance(value, dict) else None
    return value
