import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(params=["cancel", "purge"])
def kind(request: pytest.FixtureRequest) -> str:
    """The nightly job."""
    return str(request.param)
