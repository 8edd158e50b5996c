"""Reading a user's .npz file, here and in an exported train.py."""

import zipfile
from pathlib import Path

from lenet_search.data.class_folders import printable
from lenet_search.data.dataset import KNOWN, OPTIONAL, REQUIRED, Found, Part
from lenet_search.data.pixels import check_memory
from lenet_search.errors import DataError
from lenet_search.untrusted import Damaged, opened_npz

SCRIPT = """\
with np.load(path, allow_pickle=False) as file:
    images, labels = file["x_train"], file["y_train"]"""  # as `Dataset.script`


def read_npz(path: Path, part: Part) -> Found:
    """The arrays of a file that belong to `part`. Other arrays are not read; those of no part are named in a note.

    Raises:
        DataError: arrays are missing, damaged, or too large for the memory.
    """
    where = printable(path)
    if not zipfile.is_zipfile(path):
        raise DataError(
            f"{where}: expected an .npz file; the file is something else or incomplete; "
            "download it again, or write it with numpy.savez"
        )
    try:
        with opened_npz(path, packed=True) as file:
            if missing := [key for key in REQUIRED[part] if key not in file.names]:
                lacks_test = "the data set has no test set: " if {"x_test", "y_test"}.issuperset(missing) else ""
                raise DataError(
                    f"{where}: {lacks_test}expected the arrays x_train, y_train, x_test, y_test; received "
                    f"{', '.join(map(printable, file.names)) or 'none'}; add {', '.join(missing)} with numpy.savez"
                )
            keys = [*REQUIRED[part], *(key for key in OPTIONAL[part] if key in file.names)]
            # What the file promises, and the bytes made of other numbers
            check_memory(int(1.2 * sum(map(file.unpacked, keys))), where)
            arrays = {key: file[key] for key in keys}
            unknown = [printable(key) for key in file.names if key not in KNOWN]
    except MemoryError as error:
        raise DataError(f"{where}: does not fit in memory ({error}); use fewer or smaller images") from error
    except (OSError, Damaged) as error:
        if "Object arrays" in str(error):
            raise DataError(
                f"{where}: expected plain numbers; received Python objects, which could run code and are not loaded; "
                "convert them with array.astype('uint8'), or text with array.astype(str), and save again"
            ) from error
        raise DataError(f"{where}: the file is damaged ({error}); download or write it again") from error
    notes = (f"{where}: not used: {', '.join(unknown)}; known are {', '.join(KNOWN)}",) if unknown else ()
    return Found(where, arrays, notes, "npz")
