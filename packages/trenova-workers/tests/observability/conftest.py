import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from collector import Collector


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector of the test's own."""
    collector = Collector()
    collector.start()
    yield collector
    collector.stop()
