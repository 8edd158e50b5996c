"""How many slots of a stack run when not all are in use."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from lenet_search.engine.sizes import Sizes, possible


def course(slots: int, active: Sequence[int], *, slot: float = 1.0, compiling: float = 3.0) -> tuple[list[int], float]:
    """The sizes of a stack whose slots take `slot` seconds each, by how many are in use; and the seconds in all."""
    sizes, seen, passed = Sizes(slots), [], 0.0
    for count in active:
        size = sizes.choose(count)
        seconds = slot * size + compiling * (size not in seen)
        sizes.note(size, seconds)
        seen.append(size)
        passed += seconds
    return seen, passed


def test_a_stack_runs_as_many_slots_as_are_in_use_where_powers_of_two_and_the_sizes_between_allow() -> None:
    assert possible(4) == [1, 2, 3, 4]
    assert possible(20) == [1, 2, 3, 4, 6, 8, 12, 16, 20]
    assert [Sizes(20).choose(count) for count in (1, 3, 5, 7, 17)] == [1, 3, 6, 8, 20]


def test_a_smaller_size_is_compiled_when_it_would_have_saved_what_that_costs() -> None:
    ran, _ = course(4, [4, 4, 2, 2, 2, 2], compiling=3.0)
    assert ran == [4, 4, 4, 2, 2, 2]  # two slots wasted twice are four seconds


def test_a_smaller_size_is_never_compiled_where_that_takes_longer_than_the_rest() -> None:
    ran, _ = course(4, [4, 4, 2, 2, 2, 2], compiling=100.0)
    assert ran == [4] * 6


def test_a_study_with_a_pruner_compiles_one_size_where_epochs_are_much_shorter_than_compiling() -> None:
    # How many slots were in use at the end of 200 trials with Hyperband, on 64 slots; an H100 takes 0.4 s for them all.
    ran, _ = course(64, [64] * 12 + [44, 32, 24, 20, 18, 17, 9, 3, 1], slot=0.4 / 64, compiling=5.0)
    assert set(ran) == {64}


def test_what_was_compiled_is_used_again() -> None:
    ran, _ = course(4, [4, 4, 2, 2, 4, 2, 4], compiling=0.5)
    assert ran == [4, 4, 2, 2, 4, 2, 4]


def test_a_stack_that_grows_compiles_a_few_sizes_only() -> None:
    ran, _ = course(64, range(1, 65), compiling=1000.0)
    assert sorted(set(ran)) == [1, 2, 4, 8, 16, 32, 64]


@given(
    slots=st.integers(1, 40),
    shares=st.lists(st.floats(0, 1), max_size=60),
    compiling=st.floats(0.1, 50),
)
def test_each_size_costs_at_most_twice_what_compiling_it_takes(
    slots: int, shares: list[float], compiling: float
) -> None:
    active = [slots, slots, *(max(1, round(share * slots)) for share in shares)]
    ran, passed = course(slots, active, compiling=compiling)
    assert all(count <= size <= slots for count, size in zip(active, ran, strict=True))
    needed = sum(min(size for size in possible(slots) if size >= count) for count in active)
    assert passed <= needed + 2 * compiling * len(possible(slots)) + 1e-6
