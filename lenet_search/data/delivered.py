"""Data sets that another machine sent: what `find` read there is kept here, in one file for the same content.

The files are in the user's cache folder, named by their digest. A folder of links to them, named by what was asked for,
serves as the data folder of the processes to which they were sent.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lenet_search.data.dataset import KNOWN, Found, Part
from lenet_search.machine import writable_cache
from lenet_search.whole import written_whole

FACTS = "found"  # the entry that holds what `Found` has besides arrays, as JSON


class Wanted(NamedTuple):
    """What is asked for: the arguments of `find` on which its answer depends."""

    name: str
    part: Part
    size: int = 0


def packed(found: Found) -> dict[str, np.ndarray]:
    """Arrays that hold all of what was found."""
    facts = {"origin": found.origin, "notes": found.notes, "format": found.format, "files": found.files}
    return {**found.arrays, FACTS: np.array(json.dumps(facts))}


def digest_of(arrays: Mapping[str, np.ndarray]) -> str:
    """64 hex digits that identify the content."""
    sha = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        sha.update(repr((name, array.dtype.str, array.shape)).encode())
        sha.update(np.ascontiguousarray(array).data.cast("B") if array.dtype.kind in "biuf" else array.tobytes())
    return sha.hexdigest()


def keep(arrays: Mapping[str, np.ndarray], digest: str) -> bool:
    """Write what was sent to the cache folder, unless it is there. Whether it had to be written.

    Several processes may call this at once: one writes, and the others wait for it.

    Raises:
        OSError: the disk is full.
    """
    path = _kept(digest)
    path.parent.mkdir(mode=0o700, exist_ok=True)
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if path.exists():
            return False
        with written_whole(path) as scratch, scratch.open("wb") as file:
            np.savez(file, **arrays)  # type: ignore[arg-type]  # its signature takes a keyword for an array
        return True


def is_kept(digest: str) -> bool:
    """Whether `keep` was called with this digest before, now or at another time."""
    return _kept(digest).exists()


def offer(wanted: Wanted, digest: str, folder: Path) -> None:
    """Have `find` answer with what was kept, in processes whose data folder is `folder`."""
    link = _link(folder, wanted)
    link.unlink(missing_ok=True)
    os.symlink(_kept(digest), link)


def delivered(folder: Path, wanted: Wanted) -> Found | None:
    """What was sent, if `folder` offers it."""
    link = _link(folder, wanted)
    if not link.exists():
        return None
    with np.load(link, allow_pickle=False) as file:
        facts = json.loads(str(file[FACTS]))
        arrays = {name: file[name] for name in file.files if name in KNOWN}
    return Found(facts["origin"], arrays, tuple(facts["notes"]), facts["format"], tuple(facts["files"]))


def _kept(digest: str) -> Path:
    return writable_cache() / "delivered" / f"{digest}.npz"


def _link(folder: Path, wanted: Wanted) -> Path:
    return folder / f"{hashlib.sha256(repr(tuple(wanted)).encode(errors='surrogateescape')).hexdigest()}.delivered"
