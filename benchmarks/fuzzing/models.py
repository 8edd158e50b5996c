"""Models of an export to damage. Reading one builds it, so there are fewer cases than of the other kinds."""

import functools
import io
import json
import zipfile
from pathlib import Path
from random import Random

from fuzzing.damage import damaged, damaged_json


@functools.cache
def _example() -> dict[str, bytes]:
    """The members of a model.keras of LeNet-5's kind."""
    import keras

    layers = keras.layers
    model = keras.Sequential(
        [layers.Input((8, 8, 1)), layers.Rescaling(1 / 255), layers.Conv2D(2, 3, activation="tanh"), layers.Flatten(),
         layers.Dense(3, activation="softmax")]
    )  # fmt: skip
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}


def model_file(rng: Random, folder: Path) -> Path:
    """A model.keras of which a member, a value of its configuration, or the archive is damaged."""
    members = dict(_example())
    how = rng.random()
    if how < 0.5:
        members["config.json"] = damaged_json(rng, json.loads(members["config.json"])).encode(
            "utf-8", "surrogateescape"
        )
    elif how < 0.6:
        units = rng.choice((10**6, 10**8, 10**10))
        members["config.json"] = members["config.json"].replace(b'"units": 3', b'"units": %d' % units)
    elif how < 0.85:
        name = rng.choice(list(members))
        members[name] = damaged(rng, members[name])
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED if how > 0.95 else zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(name, content if how < 0.97 or name != "model.weights.h5" else content + bytes(2**29))
    path = folder / "model.keras"
    path.write_bytes(damaged(rng, file.getvalue()) if how > 0.85 else file.getvalue())
    return path


def read_model(path: Path) -> None:
    """As `predict` opens it; the model must then take an image."""
    import numpy as np

    from lenet_search.model.predictor import open_model

    predictor = open_model(path)
    predictor.classify(np.zeros((1, *predictor.model.input_shape[1:]), np.float32))
