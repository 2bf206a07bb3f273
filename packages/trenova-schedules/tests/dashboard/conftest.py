import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "server"))

from api_site import ApiSite

# Playwright is in the root environment only (`uv sync`); a session with no more than one member has none.
collect_ignore_glob = [] if find_spec("playwright") else ["test_*.py"]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Iterator[ApiSite]:
    """An application for the tests of one module."""
    with ApiSite(tmp_path_factory.mktemp("dashboard")) as made:
        yield made


@pytest.fixture(scope="module")
def browser():
    """Chromium, for the tests of one module."""
    from browser import chromium

    with chromium() as one:
        yield one


@pytest.fixture
def page(browser, site):
    """A page of somebody who has signed in and may do everything."""
    from browser import opened, signed_in

    with opened(browser) as one:
        signed_in(one, site)
        yield one


@pytest.fixture(scope="session")
def pictures(tmp_path_factory) -> Path:
    """Where pictures of pages are left: TRENOVA_PICTURES, if that is set."""
    told = os.environ.get("TRENOVA_PICTURES")
    folder = Path(told) if told else tmp_path_factory.mktemp("pictures")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
