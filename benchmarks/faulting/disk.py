"""A disk that can be full."""

import os
import random
import shutil
import subprocess
import time
from contextlib import suppress
from pathlib import Path


class Disk:
    """A folder that can be full: a small file system in memory, where this process may mount one."""

    SIZE = 192 << 20

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        mounted = ["mount", "-t", "tmpfs", "-o", f"size={self.SIZE}", "tmpfs", str(folder)]
        self.own = os.geteuid() == 0 and subprocess.run(mounted, capture_output=True, check=False).returncode == 0
        self._filler = folder / "filler"

    def fill(self, rng: random.Random) -> None:
        """Leave no room for a while."""
        with suppress(OSError), self._filler.open("wb") as file:
            while True:
                file.write(bytes(1 << 20))
                file.flush()
        time.sleep(rng.uniform(0.2, 3.0))
        self._filler.unlink(missing_ok=True)

    def close(self) -> None:
        """Copy what is there beside it, and unmount it."""
        self._filler.unlink(missing_ok=True)
        if self.own:
            shutil.copytree(self.folder, self.folder.parent / "kept", dirs_exist_ok=True)
            subprocess.run(["umount", "-l", str(self.folder)], capture_output=True, check=False)
