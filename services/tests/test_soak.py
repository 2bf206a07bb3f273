"""What a soak calls growth, and a short one with the faults that every machine can have."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent / "soak"))

from growth import LEAST_SAMPLES, growing

SOAK = Path(__file__).parent / "soak"
FLAT = [150.0] * LEAST_SAMPLES
FEW = [30] * LEAST_SAMPLES


def test_what_stays_as_it_is_does_not_grow():
    assert growing(FLAT, FEW) is None


def test_caches_that_are_filled_at_the_beginning_are_no_growth():
    assert growing([100.0] * 40 + [150.0] * (LEAST_SAMPLES - 40), FEW) is None


def test_memory_and_descriptors_that_grow_to_the_end_are_told():
    third = LEAST_SAMPLES // 3
    leaking = [100.0] * third + [120.0] * third + [180.0] * third

    assert growing(leaking, FEW) == "memory went from 120 to 180 MiB"
    assert growing(FLAT, [30] * third + [40] * third + [80] * third) == "descriptors went from 40 to 80"


def test_of_a_process_that_lived_a_minute_nobody_knows():
    assert growing([100.0] * 20 + [500.0] * 20, [30] * 40) is None


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_half_a_minute_of_kills_and_lost_connections_loses_nothing(tmp_path):
    options = ("--minutes", "0.5", "--seed", "3", "--every", "6", "--faults", "kill,connection,slow-database")
    done = subprocess.run(
        [sys.executable, str(SOAK), *options, "--output", str(tmp_path)], capture_output=True, text=True, timeout=380
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost, done twice or grown: nothing" in done.stdout
    assert (tmp_path / "soak.png").stat().st_size > 10_000
