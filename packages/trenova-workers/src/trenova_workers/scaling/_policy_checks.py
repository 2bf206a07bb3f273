"""What no single setting can tell: pairs of them that would make a pool swing, or that come to nothing."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from trenova_workers.routing._problems import Problem

if TYPE_CHECKING:
    from trenova_workers.scaling._policy import ScalingPolicy

RATE_WINDOW_S: Final = 30.0
"""The server's rates are means over about so many seconds."""
MOST_GAIN: Final = 8.0
"""Workers that a pool may add at once for each that new load would keep busy. Above, noise alone drives it."""


def problems_of(policy: "ScalingPolicy") -> list[Problem]:
    """Return everything that does not hold together."""
    return [*_bounds(policy), *_steps(policy), *_calm(policy), *_loop(policy), *_watching(policy), *_zero(policy)]


def _bounds(policy: "ScalingPolicy") -> Iterator[Problem]:
    if policy.min_workers > policy.max_workers:
        said = f"'max_workers' is {policy.max_workers}, so no number is allowed"
        yield Problem("", "min_workers", policy.min_workers, said, "Lower it, or raise 'max_workers'.")
    if not policy.headroom_min <= policy.headroom <= policy.headroom_max:
        said = f"not within 'headroom_min' ({policy.headroom_min:g}) and 'headroom_max' ({policy.headroom_max:g})"
        yield Problem("", "headroom", policy.headroom, said, "Move it or its bounds.")


def _steps(policy: "ScalingPolicy") -> Iterator[Problem]:
    gain = policy.up_factor / policy.utilization
    if gain > MOST_GAIN:
        said = (
            f"with 'utilization' {policy.utilization:g} a pool may add {gain:.0f} workers for each that new load keeps "
            "busy, so it overshoots and comes back, over and over"
        )
        cure = f"Lower it to at most {MOST_GAIN * policy.utilization:.3g}, or raise 'utilization'."
        if MOST_GAIN * policy.utilization < 1:
            cure = f"Raise 'utilization' to at least {policy.up_factor / MOST_GAIN:.2g}."
        if policy.up_factor >= MOST_GAIN and MOST_GAIN * policy.utilization < 1:
            cure = "Raise 'utilization' to 0.5 or more, and lower this to at most 4."
        yield Problem("", "up_factor", policy.up_factor, said, cure)


def _calm(policy: "ScalingPolicy") -> Iterator[Problem]:
    if policy.poll_s >= policy.down_cooldown_s:
        said = f"'down_cooldown_s' is {policy.down_cooldown_s:g}, so every observation may take workers away"
        yield Problem("", "poll_s", policy.poll_s, said, "Observe more often, or raise 'down_cooldown_s'.")
    least = RATE_WINDOW_S + policy.start_s
    if policy.down_cooldown_s < least:
        said = (
            f"the server's rates are means over {RATE_WINDOW_S:g} s and workers start in {policy.start_s:g} s, so the "
            "effect of a change is not seen before the next one"
        )
        yield Problem("", "down_cooldown_s", policy.down_cooldown_s, said, f"Set it to at least {least:g}.")
    if policy.up_cooldown_s > policy.down_cooldown_s:
        said = f"longer than 'down_cooldown_s' ({policy.down_cooldown_s:g}), so the pool gives up faster than it grows"
        yield Problem("", "up_cooldown_s", policy.up_cooldown_s, said, f"Set it to at most {policy.down_cooldown_s:g}.")
    least = policy.start_s + policy.poll_s
    if policy.quiet_s < least:
        said = (
            f"workers that were just added take {policy.start_s:g} s to start and are seen {policy.poll_s:g} s later, "
            "so some would be taken away before they have helped"
        )
        yield Problem("", "quiet_s", policy.quiet_s, said, f"Set it to at least {least:g}.")


def _loop(policy: "ScalingPolicy") -> Iterator[Problem]:
    least = max(2 * policy.poll_s, policy.start_s + policy.poll_s)
    if policy.window_s < least:
        said = "the headroom would be raised again before the workers of the last raise have started and been seen"
        yield Problem("", "window_s", policy.window_s, said, f"Set it to at least {least:g}.")
    if policy.headroom_down > policy.headroom_up:
        said = f"larger than 'headroom_up' ({policy.headroom_up:g}); what was learnt from a bad hour is soon forgotten"
        yield Problem("", "headroom_down", policy.headroom_down, said, f"Set it to at most {policy.headroom_up:g}.")


def _watching(policy: "ScalingPolicy") -> Iterator[Problem]:
    if policy.stale_s < policy.poll_s:
        said = f"shorter than 'poll_s' ({policy.poll_s:g}), so one figure that is late stops the scaling"
        yield Problem("", "stale_s", policy.stale_s, said, f"Set it to at least {policy.poll_s:g}.")
    if policy.gap_s < 2 * policy.poll_s:
        said = f"with 'poll_s' {policy.poll_s:g}, one observation that fails counts as a gap"
        yield Problem("", "gap_s", policy.gap_s, said, f"Set it to at least {2 * policy.poll_s:g}.")
    least = policy.lead_s
    if 0 < policy.horizon_s < least:
        said = f"workers start in {policy.start_s:g} s and are asked for every {policy.poll_s:g} s, so they come late"
        yield Problem("", "horizon_s", policy.horizon_s, said, f"Set it to at least {least:g}, or to 0 for never.")


def _zero(policy: "ScalingPolicy") -> Iterator[Problem]:
    least = policy.start_s + policy.poll_s
    if policy.min_workers == 0 and policy.wait_target_s < least:
        said = (
            f"the first tasks of a pool without workers wait up to {least:g} s ('poll_s' and 'start_s'), and "
            f"'wait_target_s' is {policy.wait_target_s:g}"
        )
        yield Problem("", "min_workers", 0, said, f"Set it to 1, or 'wait_target_s' to at least {least:g}.")
