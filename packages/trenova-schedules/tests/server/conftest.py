import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from api_site import ApiSite


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[ApiSite]:
    """An API for the tests of one module."""
    with ApiSite(tmp_path_factory.mktemp("api")) as opened:
        yield opened


@pytest.fixture
def api(site):
    """A client of whoever may do everything."""
    with site.call() as client:
        yield client
