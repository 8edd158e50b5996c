import pytest

from lenet_search.crew.pace import Pace


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_rates_do_not_count_the_time_before_the_first_worker_was_up(clock):
    pace = Pace(clock)
    clock.now = 10.0
    pace.begin()
    clock.now = 20.0
    pace.begin()  # a second worker
    pace.add_images(5000)
    pace.runs = 1
    assert pace.images_per_second == 500.0
    assert pace.runs_per_hour == 360.0
    assert pace.seconds == 20.0


def test_images_per_second_are_averaged_over_the_whole_run_up_to_the_last_epoch(clock):
    pace = Pace(clock)
    pace.begin()
    clock.now = 100.0
    pace.add_images(1_000_000)
    clock.now = 120.0
    pace.add_images(200_000)
    assert pace.images_per_second == 10_000.0
    assert pace.images == 1_200_000
    clock.now = 500.0
    assert pace.images_per_second == 10_000.0


def test_nothing_is_said_about_the_time_left_before_something_has_happened(clock):
    pace = Pace(clock)
    assert pace.seconds_left(0.0, 10) is None
    pace.begin()
    clock.now = 5.0
    assert pace.seconds_left(0.1, 10) is None
    assert pace.images_per_second == 0.0


def test_the_time_left_counts_running_trials_by_their_epochs_and_not_what_earlier_runs_did(clock):
    pace = Pace(clock)
    pace.begin()
    pace.seconds_left(40.0, 100)
    clock.now = 60.0
    pace.add_images(1)
    assert pace.seconds_left(40.0 + 6.0, 100) == pytest.approx(54 / 6 * 60)


def test_while_a_long_epoch_is_under_way_the_time_left_shrinks_and_then_waits_for_it(clock):
    pace = Pace(clock)
    pace.begin()
    pace.seconds_left(0.0, 4)
    for epoch in range(1, 4):
        clock.now = 300.0 * epoch
        pace.add_images(1)
    left = []
    for clock.now in (900.0, 1000.0, 1200.0, 1300.0, 2000.0):
        left.append(pace.seconds_left(1.5, 4))
    assert left == pytest.approx([1500.0, 1400.0, 1200.0, 1200.0, 1200.0])


def test_a_limit_shortens_the_time_left_but_is_no_estimate(clock):
    pace = Pace(clock)
    pace.begin()
    clock.now = 5.0
    pace.add_images(1)
    assert pace.seconds_left(0.0, 10, limit=60.0) is None
    assert pace.seconds_left(1.0, 10, limit=20.0) == 20.0
    assert pace.seconds_left(1.0, 10, limit=60.0) == pytest.approx(45.0)
