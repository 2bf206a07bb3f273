"""What a soak calls growth, and short ones with the faults that every machine can have; its count is tested apart."""

import subprocess
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent / "soak"))

from faults import FAULTS, impossible
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
@pytest.mark.parametrize(
    ("tms", "faults"),
    [("postgresql", "kill,failover,mail,terminate"), ("sqlite", "kill,connection,slow-database,webhook")],
)
def test_half_a_minute_of_faults_that_every_machine_can_have_loses_nothing(tmp_path, tms, faults):
    options = ("--minutes", "0.5", "--seed", "3", "--every", "6", "--tms", tms, "--faults", faults)
    done = subprocess.run(
        [sys.executable, str(SOAK), *options, "--output", str(tmp_path)], capture_output=True, text=True, timeout=380
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "lost, done twice or grown: nothing" in done.stdout
    assert f"TMS on {tms}" in done.stdout
    assert (tmp_path / "soak.png").stat().st_size > 10_000


def test_what_the_tms_cannot_have_is_said_with_why(tmp_path):
    lacking = impossible(tmp_path, "sqlite")

    assert lacking["failover"] == "the TMS is on sqlite, which has no server"
    assert not {"failover", "terminate", "slow-wire"} & set(impossible(tmp_path, "postgresql"))
    assert set(lacking) <= set(FAULTS)
