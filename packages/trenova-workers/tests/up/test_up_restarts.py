from trenova_workers._up._options import Limits
from trenova_workers._up._restarts import Restarts


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_delays_double_while_deaths_follow_each_other_and_end_at_the_fifth():
    restarts = Restarts(Limits(), Clock())

    assert [restarts.after_death() for _ in range(5)] == [0.5, 1, 2, 4, None]


def test_deaths_long_ago_are_forgotten():
    clock = Clock()
    restarts = Restarts(Limits(), clock)
    for _ in range(4):
        restarts.after_death()

    clock.now = 61

    assert restarts.after_death() == 0.5


def test_no_delay_is_longer_than_the_longest():
    restarts = Restarts(Limits(crashes=20, longest_delay=3), Clock())

    assert [restarts.after_death() for _ in range(5)] == [0.5, 1, 2, 3, 3]
