"""Which stack size is chosen: the climb on made-up rates, and one real measurement."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import stacks

from lenet_search.engine import device, slots
from lenet_search.engine.remembered import Memory
from lenet_search.engine.slots import chosen, climb, conditions, cost, costliest, default, largest, smallest
from lenet_search.networks import network, parameters
from lenet_search.space import Choice, Range, Space
from lenet_search.structure import structure_of

FAST = {1: 5000.0, 2: 9000.0, 4: 12900.0, 8: 12100.0, 16: 13000.0}


class Machine:
    """Stacks that train as fast as it is told, by a clock that only they move."""

    def __init__(self, rates: Mapping[int, float], compiling: float = 2.0, fits: int = 1024) -> None:
        self.now = 0.0
        self.built: list[int] = []
        self.pieces = 0
        self.slow: dict[int, float] = {}  # by the number of a piece: something else was at work
        self._rates, self._compiling, self._fits = rates, compiling, fits

    def clock(self) -> float:
        return self.now

    def build(self, size: int) -> Callable[[], int]:
        self.built.append(size)
        first = True

        def run() -> int:
            nonlocal first
            if size > self._fits:
                raise RuntimeError("RESOURCE_EXHAUSTED: out of memory while trying to allocate 9 bytes")
            self.pieces += 1
            slow = self.slow.get(self.pieces, 1.0)
            self.now += slow * 3000 / self._rates[size] + (self._compiling if first else 0.0)
            first = False
            return 3000

        return run

    def climb(self, most: int = 16, patience: float = 1000.0) -> tuple[dict[int, float], str]:
        return climb(most, self.build, patience, lambda text: None, self.clock)


def rounded(rates: Mapping[int, float]) -> dict[int, int]:
    return {size: round(rate) for size, rate in rates.items()}


def test_the_climb_ends_where_more_slots_are_not_faster():
    machine = Machine(FAST)
    rates, ended = machine.climb()
    assert rounded(rates) == {1: 5000, 2: 9000, 4: 12900, 8: 12100}
    assert machine.built == [1, 2, 4, 8]  # 16 is not tried: compiling it costs seconds
    assert ended == "more are no faster"
    assert smallest(rates) == 4


@pytest.mark.parametrize(("rate", "slots"), [(104.0, 1), (106.0, 2)])
def test_a_gain_of_less_than_five_percent_does_not_pay(rate, slots):
    assert smallest(Machine({1: 100.0, 2: rate, 4: rate}).climb()[0]) == slots


def test_of_sizes_that_are_about_as_fast_the_smallest_is_taken():
    assert smallest({1: 80.0, 2: 97.0, 4: 100.0, 8: 90.0}) == 2


def test_what_another_program_slowed_down_is_measured_again():
    machine = Machine(FAST)
    machine.climb(most=2)
    before = machine.pieces
    machine = Machine(FAST)
    machine.slow = dict.fromkeys(range(before + 2, before + 5), 3.0)  # while 4 slots were measured
    assert rounded(machine.climb(most=4)[0]) == {1: 5000, 2: 9000, 4: 12900}


def test_memory_that_is_short_ends_the_climb_with_what_fits():
    rates, ended = Machine(FAST, fits=2).climb()
    assert list(rates) == [1, 2]
    assert ended == "4 do not fit in memory"


def test_a_single_slot_that_does_not_fit_is_an_error():
    with pytest.raises(RuntimeError, match="RESOURCE_EXHAUSTED"):
        Machine(FAST, fits=0).climb()


def test_an_error_of_another_kind_is_not_taken_for_a_lack_of_memory():
    def build(size: int) -> Callable[[], int]:
        if size > 1:
            raise ValueError("a bug")
        return Machine(FAST).build(size)

    machine = Machine(FAST)
    with pytest.raises(ValueError, match="a bug"):
        climb(4, lambda size: machine.build(size) if size == 1 else build(size), 1000.0, lambda _: None, machine.clock)


def test_the_largest_size_is_where_it_ends_at_the_latest():
    assert list(Machine(FAST).climb(most=2)[0]) == [1, 2]


def test_patience_ends_the_climb_when_the_next_size_would_begin():
    rates, ended = Machine(FAST, compiling=20.0).climb(patience=30.0)
    assert list(rates) == [1, 2]
    assert ended.startswith("stopped after 4")


def test_every_size_is_told_when_it_is_measured():
    machine, told = Machine(FAST), list[str]()
    climb(2, machine.build, 1000.0, told.append, machine.clock)
    assert told == ["1 slot: 5,000 images/s", "2 slots: 9,000 images/s"]


@pytest.mark.parametrize(
    ("runs", "slots"), [(None, 16), (1000, 16), (48, 16), (47, 12), (30, 8), (18, 6), (9, 3), (6, 2), (5, 1), (0, 1)]
)
def test_a_gpu_has_sixteen_slots_or_so_few_that_a_search_has_three_generations(monkeypatch, runs, slots):
    monkeypatch.setattr(device.backend, "on_gpu", lambda: True)
    assert default(runs).slots == slots


def test_the_default_of_a_gpu_is_said_and_how_to_change_it(monkeypatch):
    monkeypatch.setattr(device.backend, "on_gpu", lambda: True)
    assert default(100).words == "16 slots, the default on a GPU; --slots auto measures"
    assert default(9).words == (
        "3 slots: at most a third of this worker's 9 runs, so that later ones can learn from earlier ones; "
        "--slots N changes it"
    )
    assert default(None).words == ""  # cohorts have stacks of their own sizes


@pytest.mark.parametrize("runs", [None, 1000, 2])
def test_a_cpu_has_four_slots_however_short_the_search(monkeypatch, runs):
    monkeypatch.setattr(device.backend, "on_gpu", lambda: False)
    assert (default(runs).slots, default(runs).words) == (4, "")


@pytest.mark.parametrize(
    ("free", "sharing", "size"),
    [(None, 1, 16), (10**12, 1, 16), (1600, 1, 8), (1599, 1, 4), (1600, 2, 4), (0, 1, 1)],
)
def test_stacks_take_half_of_the_free_memory_at_most_shared_by_all_workers(free, sharing, size):
    assert largest(free, sharing, 100.0, 16) == size


def test_the_costliest_recipe_has_the_largest_numbers_and_the_network_that_needs_most():
    entries: dict[str, Any] = dict(stacks.recipe().values())
    entries |= {
        "model.network": Choice(("mlp", "all_cnn", "lenet5")),
        "model.width": Range(0.25, 0.5),
        "train.batch_size": Choice((8, 32, 16)),
        "train.precision": "auto",
    }
    split = stacks.images(side=32)
    found = costliest(Space(entries), "float32", lambda key: split)
    assert found.recipe.model.network == "all_cnn"
    assert (found.recipe.model.width, found.recipe.train.batch_size) == (0.5, 32)
    assert found.recipe.train.precision == "float32"
    assert found.split is split


def test_operations_are_those_of_the_products_forward_and_twice_backward():
    one, split = stacks.recipe(model__width=1.0), stacks.images(side=32)
    structure = structure_of(one, stacks.space_of(one))
    # LeNet-5: 28x28 outputs of 5x5x1 weights and 6 biases, 10x10 of 5x5x6 and 16, then dense layers.
    products = 28 * 28 * 156 + 10 * 10 * 2416 + 400 * 120 + 120 + 120 * 84 + 84 + 84 * 4 + 4
    assert cost(structure, split).operations == 3 * 2 * stacks.BATCH * products


def test_memory_is_at_least_the_state_and_one_copy_of_what_the_layers_give():
    one, split = stacks.recipe(), stacks.images()
    structure = structure_of(one, stacks.space_of(one))
    shape = split.x_train.shape[1:]
    weights = sum(p.size for p in parameters(network(one.model, shape, split.classes), shape))
    first = stacks.BATCH * 16 * 16 * 3  # the first convolution's, of half the filters
    assert cost(structure, split).memory > 4 * (weights + first)


def found_by(monkeypatch: pytest.MonkeyPatch, memory: Memory, free: int | None = None, **values: Any) -> slots.Size:
    """`chosen` for a small recipe, where measuring gives `FAST`."""
    one, split = stacks.recipe(**values), stacks.images()
    monkeypatch.setattr(device, "free_memory", lambda: free)
    return chosen(stacks.space_of(one), "float32", lambda key: split, 1, memory, lambda text: None)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The largest size of each measurement that would have been made."""
    made = []

    def climbed(most: int, *_: object) -> tuple[dict[int, float], str]:
        made.append(most)
        return {size: rate for size, rate in FAST.items() if size <= most}, "larger sizes not tried"

    monkeypatch.setattr(slots, "climb", climbed)
    return made


def test_what_was_measured_once_is_remembered_for_the_network_and_says_so(tmp_path, monkeypatch, measured):
    memory = Memory(tmp_path)
    first = found_by(monkeypatch, memory)
    again = found_by(monkeypatch, memory)
    assert measured == [16]
    assert first.slots == again.slots == 4
    for size in (first, again):
        assert "4 slots 12,900" in size.words
        assert f"{tmp_path / 'slots.json'} (delete it to measure again)" in size.words
    assert "measured on 20" in again.words
    found_by(monkeypatch, memory, optimizer__kind="lion", regularize__l2=0.1, model__initializer="he_normal")
    assert len(measured) == 1  # nothing of that makes another program worth measuring


@pytest.mark.parametrize(
    "values",
    [
        {"model__network": "all_cnn"}, {"model__width": 1.0}, {"train__batch_size": 32}, {"model__pooling": "max"},
        {"augment__flip": 0.5}, {"train__precision": "mixed_bfloat16"},
    ],
)  # fmt: skip
def test_another_network_batch_precision_or_augmentation_is_measured_anew(tmp_path, monkeypatch, measured, values):
    found_by(monkeypatch, Memory(tmp_path))
    found_by(monkeypatch, Memory(tmp_path), **values)
    assert len(measured) == 2


def test_another_device_is_measured_anew(tmp_path, monkeypatch, measured):
    found_by(monkeypatch, Memory(tmp_path))
    monkeypatch.setattr(device, "describe", lambda: "CPU (64 threads)")
    found_by(monkeypatch, Memory(tmp_path))
    assert len(measured) == 2


def test_a_size_that_memory_decided_is_measured_again_when_there_is_more_of_it(tmp_path, monkeypatch, measured):
    one = stacks.recipe()
    slot = cost(structure_of(one, stacks.space_of(one)), stacks.images()).memory
    memory = Memory(tmp_path)
    assert found_by(monkeypatch, memory, free=int(5 * slot)).slots == 2
    assert found_by(monkeypatch, memory, free=int(5 * slot)).slots == 2
    assert found_by(monkeypatch, memory, free=int(100 * slot)).slots == 4
    assert measured == [2, 16]


def test_a_remembered_size_that_does_not_fit_now_is_cut_down(tmp_path, monkeypatch, measured):
    one = stacks.recipe()
    slot = cost(structure_of(one, stacks.space_of(one)), stacks.images()).memory
    found_by(monkeypatch, Memory(tmp_path))
    short = found_by(monkeypatch, Memory(tmp_path), free=int(5 * slot))
    assert short.slots == 2
    assert "less memory is free now, so 2 slots instead of 4" in short.words
    assert len(measured) == 1


def test_whoever_waited_for_another_process_uses_its_answer(tmp_path, monkeypatch, measured):
    memory = Memory(tmp_path)
    asked = []
    find = Memory.find

    def late(self: Memory, known: Mapping[str, Any]) -> Any:
        asked.append(None)
        if len(asked) == 2:  # while this one waited for the lock
            found_by(monkeypatch, Memory(tmp_path))
        return find(self, known)

    monkeypatch.setattr(Memory, "find", late)
    monkeypatch.setattr("lenet_search.engine.remembered._locked", lambda handle: True)
    assert found_by(monkeypatch, memory).slots == 4
    assert len(measured) == 1


def test_a_disk_that_is_full_costs_the_memory_not_the_search(tmp_path, monkeypatch, measured):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Memory, "keep", full)
    size = found_by(monkeypatch, Memory(tmp_path))
    assert size.slots == 4
    assert "cannot be written: No space left on device" in size.words


def test_a_real_measurement_gives_a_rate_for_each_size(tmp_path, monkeypatch):
    monkeypatch.setattr(slots, "CPU_PIECE", 1.0)  # two steps
    monkeypatch.setattr(slots, "ENOUGH", 0.0)
    monkeypatch.setattr(slots, "CPU_MOST", 2)
    one, split, told = stacks.recipe(), stacks.images(), list[str]()
    space = stacks.space_of(one)
    size = chosen(space, "float32", lambda key: split, 1, Memory(tmp_path), told.append)
    known = conditions(costliest(space, "float32", lambda key: split))
    entry = Memory(tmp_path).find(known)
    assert entry is not None
    assert size.slots == entry.slots
    assert set(entry.rates) == {1, 2}
    assert all(rate > 0 for rate in entry.rates.values())
    assert told[0].startswith("measuring stack sizes for lenet5 on 20x20x1 images in batches of 16")
    assert len(told) == 3
