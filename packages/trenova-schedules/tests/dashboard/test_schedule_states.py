"""Parts of the page of a schedule where something is missing, refused, hostile or dangerous."""

from datetime import UTC, datetime, timedelta

import pytest
from seeded import keep, plant

from trenova_schedules.server import create_app

pytestmark = pytest.mark.integration

PARTS = ("", "/durations", "/objective", "/fires", "/definition", "/versions", "/history")
FRAGMENT = {"HX-Request": "true", "Accept": "text/html"}


@pytest.mark.parametrize("part", PARTS)
def test_every_part_is_for_viewers_of_that_schedule_only(site, part):
    schedule_id = site.new(labels={"organization": "acme"})["id"]
    address = f"{site.url}/schedules/{schedule_id}{part}"
    with site.call("viewer-acme") as mine, site.call("viewer-blue") as theirs, site.call(None) as nobody:
        assert mine.get(address, headers=FRAGMENT).status_code == 200
        assert theirs.get(address, headers=FRAGMENT).status_code in {403, 404}
        assert nobody.get(address, headers=FRAGMENT).status_code == 401


def test_without_a_database_every_part_says_what_it_cannot_know(site):
    schedule_id = site.new(cron="0 12 * * *", paused=False)["id"]
    make = lambda: create_app(site.options, site.client, store=None, access=site.app_access)  # noqa: E731
    with site.also(make, caller="viewer-all") as client:

        def part(name):
            answer = client.get(f"/schedules/{schedule_id}{name}", headers=FRAGMENT)
            assert answer.status_code == 200, answer.text
            return answer.text

        assert "this server has no database" in part("")
        assert "How long past runs took is not known" in part("/durations")
        assert "It has not run yet" in part("/durations")
        assert "Whether it keeps its times is not known" in part("/objective")
        assert "at 12:00" in part("/definition")
        assert "has no database" in part("/history")
        page = client.get(f"/schedules/{schedule_id}", headers={"Accept": "text/html"}).text
        assert "What was in force when" not in page  # nobody could answer it


def test_what_came_before_the_first_harvest_is_not_called_missed(site):
    schedule_id = site.new(cron="0 * * * *")["id"]
    made = plant(site, schedule_id, ["on_time"] * 3)
    start = datetime.now(UTC) - timedelta(days=30)
    with site.call("viewer-all") as api:
        address = f"{site.url}/schedules/{schedule_id}"
        shown = api.get(address, params={"start": start.isoformat()}, headers=FRAGMENT).text
        objective = api.get(f"{address}/objective", headers=FRAGMENT).text
    first = made[0].at.isoformat().replace("+00:00", "Z")
    assert f'Ticks are known since <time datetime="{first}"' in shown
    assert "3 expected, 3 on time" in shown
    assert objective.count("known since") == 2
    assert "100%" in objective


def test_a_fold_is_told_with_what_mends_it(site):
    # The last Sunday of October 2027, when Berlin has 02:30 twice.
    schedule_id = site.new(cron="30 2 31 10 *", timeZone="Europe/Berlin")["id"]
    with site.call("viewer-all") as api:
        shown = api.get(f"{site.url}/schedules/{schedule_id}/fires", headers=FRAGMENT).text
    assert "autumn once" in shown
    assert "when no clock changes" in shown


def test_hostile_text_is_text_in_every_part(site):
    hostile = "<img src=x onerror=alert(1)>"
    made = site.new(id=f"{hostile}{{id}}'\"", description=hostile, owner=hostile, labels={"a": hostile}, note=hostile)
    tick = plant(site, made["id"], ["real_miss"])[0]
    worse = tick.model_copy(
        update={"reason": hostile, "workflow_id": hostile, "status": hostile, "observed_at": datetime.now(UTC)}
    )
    worse = worse.model_copy(update={"started_at": tick.at, "closed_at": tick.at + timedelta(seconds=5)})
    keep(site, site.store.ticks.upsert([worse]))
    segment = "%3Cimg%20src%3Dx%20onerror%3Dalert%281%29%3E%7Bid%7D%27%22"
    with site.call("admin-all") as api:
        for part in PARTS:
            answer = api.get(f"{site.url}/schedules/{segment}{part}", headers=FRAGMENT)
            assert answer.status_code == 200, (part, answer.text)
            assert "<img" not in answer.text, part
        assert "&lt;img" in api.get(f"{site.url}/schedules/{segment}/durations", headers=FRAGMENT).text
