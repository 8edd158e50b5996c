"""Processes that tests start."""

from pathlib import Path


def children_of(pid: int) -> list[int]:
    """The Python processes that a process has started; other tests' database servers may run beside them."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    children = [child for task in tasks for child in (task / "children").read_text().split()]
    return [int(child) for child in children if Path(f"/proc/{child}/comm").read_text().startswith("python")]
