"""What a model saw, as PNG files: the option --save-inputs."""

import os
import re
from pathlib import Path

import numpy as np
from PIL import Image

from lenet_search.errors import ResultError

LONGEST = 80  # characters of a name


class SavedInputs:
    """A folder of what a model saw. A file has the name of its image; a number is added if the name is taken.

    Raises:
        ResultError: the folder cannot be created or written to.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._taken: dict[str, int] = {}
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ResultError(f"--save-inputs {folder}: cannot create this folder: {_reason(error)}") from error

    def keep(self, image: Path, pixels: np.ndarray) -> Path:
        """Write pixels, float32 (H, W, C) from 0 to 255, and return the path; existing files are never overwritten."""
        text = os.fsencode(image.stem).decode(errors="replace")
        name = re.sub(r"[^\w.-]", "_", text)[:LONGEST].lstrip(".-") or "image"
        values = np.rint(pixels).astype(np.uint8)
        drawn = Image.fromarray(values[..., 0] if values.shape[2] == 1 else values)
        while True:
            number = self._taken[name] = self._taken.get(name, 0) + 1
            path = self.folder / (f"{name}.png" if number == 1 else f"{name}-{number}.png")
            try:
                with path.open("xb") as file:
                    drawn.save(file, "PNG")
                return path
            except FileExistsError:
                continue
            except OSError as error:
                raise ResultError(f"--save-inputs {self.folder}: cannot write: {_reason(error)}") from error


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
