"""Which images a model was trained on: what the recipe.json beside it says, and whether these are the same."""

from dataclasses import dataclass
from pathlib import Path

from lenet_search import data
from lenet_search.errors import DataError, ResultError
from lenet_search.recipe import FIELDS, Images, Recipe
from lenet_search.untrusted import read_json


@dataclass(frozen=True)
class TrainedOn:
    """The images of the model or recipe that lies beside `file`, a recipe.json.

    images  what the recipe asks for
    digest  of the images, labels and split that it was trained on; None if the file does not say
    folder  where the file of the data set was then, or None
    """

    file: Path
    images: Images
    digest: str | None
    folder: Path | None

    def data_folder(self, name: str, given: Path | None) -> Path | None:
        """The folder to look for data set `name` in: the `given` one, or where it was found at the time.

        Raises:
            DataError: `given` is not a folder.
        """
        return data.folder_with(name, given, self.folder)

    def differs(self, name: str, folder: Path | None) -> str | None:
        """How the training images of data set `name` differ from these, in words; "" if they are the same.

        None if nobody knows.
        """
        if self.digest is None:
            return None
        try:
            digest = data.load(self.images._replace(name=name), folder).digest
        except DataError as error:
            return str(error)
        return "" if digest == self.digest else f"their digest is {digest}, not {self.digest}"


def trained_on(beside: Path) -> TrainedOn | None:
    """What the recipe.json in the folder of the file `beside` says; None if there is none.

    Raises:
        ResultError: it was not written by an export or a training.
    """
    file = beside.with_name("recipe.json")
    try:
        content = read_json(file)
        values = {path: value for path, value in content["values"].items() if path in FIELDS}
        digest = content.get("images", {}).get("digest")
        folder = content.get("data_folder")
        return TrainedOn(
            file,
            Recipe.from_values({"data.name": str(values["data.name"]), **values}).images,
            None if digest is None else str(digest),
            None if folder is None else Path(folder),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ResultError(f"{file}: not a recipe.json written by an export") from error
