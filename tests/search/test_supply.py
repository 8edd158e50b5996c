"""How trials are dealt out to workers. What the supervisor does with real processes is in test_search.py."""

import pytest

from lenet_search.search.supply import fair_share


@pytest.mark.parametrize(
    ("wanted", "here", "everywhere", "share"),
    [
        (100, 0, 0, 4),  # plenty: as many as there is room for
        (8, 0, 0, 4),  # exactly enough for two workers
        (4, 0, 4, 4),  # the other worker has taken its half: this one takes all of the rest, not half of it
        (2, 0, 0, 1),  # too few: one each
        (3, 0, 0, 2),
        (1, 3, 6, 1),  # both hold three, one is left: who asks first gets it
        (1, 4, 7, 0),  # the other worker has more room
        (0, 0, 4, 0),  # nothing is left, and running trials are nobody else's to take
    ],
)
def test_of_two_workers_with_four_slots_each_takes_its_share(
    wanted: int, here: int, everywhere: int, share: int
) -> None:
    assert fair_share(4, wanted, here, everywhere, 2) == share


def test_a_single_worker_takes_whatever_fits() -> None:
    assert fair_share(4, 100, 0, 0, 1) == 4
    assert fair_share(1, 100, 3, 3, 1) == 1
