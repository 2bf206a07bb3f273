"""Work that outlasts the request which began it."""

import asyncio

import httpx
import pytest
from seeded import keep

from trenova_errors import UnavailableError
from trenova_schedules import BulkAction, BulkItem, BulkOutcome, BulkResult, Receipt
from trenova_schedules.dashboard.bulk._bulk_form import ChosenForm
from trenova_schedules.dashboard.bulk._works import Works

pytestmark = pytest.mark.integration

IDS = ["slow-a", "slow-b", "slow-c"]
ITEMS = [BulkItem(schedule_id=name, outcome=BulkOutcome.DONE) for name in IDS]


class Slow:
    """Work that ends when it is told to, and says of each schedule before."""

    def __init__(self, failure=None):
        self.told, self.begun, self.failure = asyncio.Event(), 0, failure

    async def __call__(self, work):
        self.begun += 1
        work.heard(ITEMS[0])
        await self.told.wait()
        if self.failure is not None:
            raise self.failure
        return BulkResult.of(BulkAction.PAUSE, ITEMS)


async def test_the_same_key_is_the_same_work_until_it_is_over():
    works, slow = Works(), Slow()
    first = works.begin("k", 3, None, slow)
    assert works.begin("k", 3, None, slow) is works.take_up("k", 3, None, slow) is works.find("k") is first
    assert await first.soon() is None
    assert (first.heard_of, first.total, slow.begun) == (1, 3, 1)

    slow.told.set()

    assert (await first.soon()).counts == {"done": 3}
    assert works.take_up("k", 3, None, slow) is first, "who asks once more gets what came of it"
    again = works.begin("k", 3, None, slow)
    assert again is not first
    assert (await again.soon()).counts == {"done": 3}
    works.forget("k")
    assert works.find("k") is None


async def test_work_that_fails_says_so_to_whoever_asks():
    works, slow = Works(), Slow(UnavailableError("Temporal does not answer."))
    work = works.begin("k", 3, None, slow)
    slow.told.set()
    with pytest.raises(UnavailableError):
        await work.soon()


@pytest.fixture
def works(site):
    app = site.app
    while not hasattr(app, "state"):
        app = next(value for name, value in vars(app).items() if name in {"_app", "app"})
    return app.state.works


def begin(site, works, key, about, slow):
    async def work():
        works.begin(key, 3, about, slow)

    keep(site, work())


def test_a_page_says_how_far_a_long_action_is_and_then_what_came_of_it(site, works):
    form, slow = ChosenForm(id=IDS), Slow()
    begin(site, works, ("do", "api_token:admin-all", "k1"), form, slow)
    with site.call() as api:
        address = f"{site.url}/bulk/pause/works/k1"
        under_way = api.get(address).text
        assert "1 of 3 schedules. It goes on when this is closed" in under_way
        assert 'hx-get="/bulk/pause/works/k1"' in under_way
        site.loop.call_soon_threadsafe(slow.told.set)
        over = api.get(address)
    assert "Paused 3 of 3" in over.text
    assert "say" in over.headers["hx-trigger"]
    assert over.headers["hx-reswap"] == "innerHTML"
    with site.call("operator-all") as other:
        assert "This server knows nothing of it any more" in other.get(address).text, "it is the caller's own"


def test_a_page_says_how_far_an_undo_is_and_why_one_did_not_end_well(site, works):
    item = {"scheduleId": "slow-a", "before": {"paused": False, "note": ""}, "after": None}
    receipt, slow = Receipt(id="r", action="pause", actor="ann", items=(item,)), Slow(UnavailableError("No answer."))
    begin(site, works, ("undo", "api_token:admin-all", "r", "k2"), receipt, slow)
    with site.call() as api:
        address = f"{site.url}/receipts/r/undo/works/k2"
        assert "1 of 3 schedules" in api.get(address).text
        site.loop.call_soon_threadsafe(slow.told.set)
        assert "No answer." in api.get(address).text
    with httpx.Client(trust_env=False) as stranger:
        assert stranger.get(address).status_code in {303, 401}
