import pytest
from pydantic import ValidationError

from trenova_errors import ConfigurationError
from trenova_workers.scaling import ScalingPolicy, load_policy


@pytest.mark.parametrize(
    ("settings", "key", "said"),
    [
        # The parameters of ray#63279: target 0.1, factor 10; the pool went between 500 and 2000.
        ({"utilization": 0.1, "up_factor": 10}, "up_factor", "may add 100 workers for each"),
        ({"poll_s": 60, "window_s": 120, "stale_s": 60}, "poll_s", "every observation may take workers away"),
        ({"down_cooldown_s": 20}, "down_cooldown_s", "Set it to at least 40."),
        ({"start_s": 90, "window_s": 120, "quiet_s": 120, "horizon_s": 0}, "down_cooldown_s", "at least 120."),
        # ray#26455: the delay before a change is shorter than what figures look back.
        ({"quiet_s": 5}, "quiet_s", "taken away before they have helped"),
        ({"up_cooldown_s": 90}, "up_cooldown_s", "gives up faster than it grows"),
        ({"window_s": 15}, "window_s", "Set it to at least 20."),
        ({"headroom_down": 0.5}, "headroom_down", "Set it to at most 0.25."),
        ({"min_workers": 11}, "min_workers", "Lower it, or raise 'max_workers'."),
        ({"headroom": 3}, "headroom", "Move it or its bounds."),
        ({"stale_s": 5}, "stale_s", "Set it to at least 10."),
        ({"gap_s": 15}, "gap_s", "Set it to at least 20."),
        ({"horizon_s": 10}, "horizon_s", "or to 0 for never."),
        ({"min_workers": 0, "wait_target_s": 5}, "min_workers", "Set it to 1, or 'wait_target_s' to at least 20."),
    ],
)
def test_settings_that_would_swing_or_come_to_nothing_are_refused_with_what_to_do(settings, key, said):
    with pytest.raises(ValidationError) as caught:
        ScalingPolicy(**settings)

    told = str(caught.value)
    assert f"'{key}' is" in told
    assert said in told


def test_what_the_errors_say_to_write_is_accepted():
    ScalingPolicy(utilization=0.5, up_factor=4)
    ScalingPolicy(down_cooldown_s=40, quiet_s=20, window_s=20)
    ScalingPolicy(min_workers=0, wait_target_s=20)


def test_a_file_may_be_written_either_way(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("max_workers: 30\nwaitTargetS: 60\n")

    policy = load_policy(path)

    assert (policy.max_workers, policy.wait_target_s, policy.poll_s) == (30, 60, 10)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max_worker: 3\n", "'max_worker' is 3: this key is not known. Did you mean 'max_workers'?"),
        ("max_workers: 0\n", "'max_workers' is 0: Input should be greater than or equal to 1. Raise it."),
        ("utilization: 0.1\nup_factor: 10\n", "so it overshoots and comes back"),
        ("- 3\n", "holds a list. Write keys and values"),
        ("max_workers: 3\nmax_workers: 4\n", "stands here again"),
    ],
)
def test_a_file_that_does_not_hold_is_told_with_its_name(tmp_path, text, said):
    path = tmp_path / "policy.yaml"
    path.write_text(text)

    with pytest.raises(ConfigurationError) as caught:
        load_policy(path)

    assert str(path) in caught.value.message
    assert said in caught.value.message


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(ConfigurationError, match=r"does not exist\. Correct the path"):
        load_policy(tmp_path / "none.yaml")


def test_a_key_in_both_spellings_is_refused(tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text("minWorkers: 2\nmin_workers: 3\n")

    with pytest.raises(
        ConfigurationError, match=r"'min_workers' is 3: 'minWorkers' is the same and given too\. Keep one"
    ):
        load_policy(path)
