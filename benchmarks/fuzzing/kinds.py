"""The kinds of input that are fuzzed: how a damaged example is made, and what reads it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from fuzzing import data_files, journals, models, run_files
from fuzzing.damage import damaged
from fuzzing.grammar import Grammar
from lenet_search.study import read, read_recipe, shipped
from lenet_search.study.stored import stored_reference, stored_space


@dataclass(frozen=True)
class Kind:
    """One kind of input.

    make   writes a damaged example into an empty folder, and returns the file or folder to read
    read   reads it: an error of ours, or success
    cases  how many a full run has
    small  how many the tests have
    """

    make: Callable[[Random, Path], Path]
    read: Callable[[Path], None]
    cases: int = 10_000
    small: int = 60


def study(rng: Random, folder: Path) -> Path:
    """A study file: a shipped one that is damaged, or one from the grammar; beside it, overrides."""
    path = folder / "study.toml"
    grammar = Grammar(rng, rng.choice((0.0, 0.02, 0.25)))
    if rng.random() < 0.4:
        examples = [each.read_bytes() for each in (*shipped().values(), *shipped("recipes").values())]
        path.write_bytes(damaged(rng, rng.choice(examples), examples))
    else:
        text = grammar.study_file().encode("utf-8", "surrogatepass")
        path.write_bytes(damaged(rng, text) if rng.random() < 0.1 else text)
    overrides = [grammar.override() for _ in range(rng.choice((0, 0, 1, 3)))]
    (folder / "overrides").write_text("\n\n".join(overrides), encoding="utf-8", errors="surrogatepass")
    return path


def read_study(path: Path) -> None:
    """As `check`, `run` and `train` read it; what was read can be stored and read back."""
    text = path.with_name("overrides").read_text(encoding="utf-8", errors="surrogatepass")
    overrides = [each for each in text.split("\n\n") if each]
    definition = read(path, overrides=overrides)
    lines = definition.lines()
    assert stored_space(lines).searched() == definition.space.searched()
    stored_reference(lines)
    if not definition.space.searched():
        read_recipe(path, overrides=overrides)


KINDS: dict[str, Kind] = {
    "studies": Kind(study, read_study, cases=100_000, small=300),
    "npz": Kind(data_files.npz_file, lambda path: data_files.read_data(path, validation=10)),
    "idx": Kind(data_files.idx_folder, lambda path: data_files.read_data(path, validation=10)),
    "mat": Kind(data_files.mat_folder, lambda path: data_files.read_data(path, validation=10)),
    "images": Kind(data_files.image_folder, data_files.read_images),
    "journals": Kind(journals.journal, journals.read_journal, small=30),
    "importance": Kind(journals.foreign_journal, journals.read_importance, cases=500, small=3),
    "frozen": Kind(run_files.frozen_file, run_files.READ_FROZEN),
    "finished": Kind(run_files.finished_file, run_files.READ_FINISHED),
    "weights": Kind(run_files.weights_file, run_files.read_weights),
    "seeds": Kind(run_files.seed_folder, run_files.read_seeds),
    "exports": Kind(run_files.recipe_file, run_files.read_recipe_file),
    "settings": Kind(run_files.settings_folder, run_files.read_settings),
    "models": Kind(models.model_file, models.read_model, cases=1_000, small=0),
}
