from itertools import product

import pytest

from trenova_schedules import FieldChange, FieldOverride
from trenova_schedules._reconciling._merge import merge
from trenova_schedules._reconciling._record import as_recorded, record_text, recorded_fields

DAILY, HOURLY, WEEKLY = ({"cron": text} for text in ("@daily", "@hourly", "@weekly"))


@pytest.mark.parametrize(
    ("applied", "there", "defined", "becomes"),
    [
        (DAILY, DAILY, DAILY, DAILY),
        (DAILY, DAILY, HOURLY, HOURLY),
        (DAILY, WEEKLY, DAILY, WEEKLY),
        (DAILY, WEEKLY, HOURLY, WEEKLY),
        (DAILY, HOURLY, HOURLY, HOURLY),
        (None, DAILY, DAILY, DAILY),
        (None, DAILY, HOURLY, DAILY),
    ],
)
def test_a_field_becomes_as_defined_unless_somebody_changed_it(applied, there, defined, becomes):
    merged = merge({"when": defined}, None if applied is None else {"when": applied}, {"when": there})

    changed = FieldChange(field="when", old=there, new=defined)
    kept = FieldOverride(field="when", kept=there, defined=defined)
    assert merged.changes == ((changed,) if becomes != there else ())
    assert merged.overrides == ((kept,) if becomes == there != defined else ())


def test_whatever_happens_a_second_merge_finds_nothing_to_do():
    values = (DAILY, HOURLY, WEEKLY)
    for applied, there, defined, overwrite in product((None, *values), values, values, (False, True)):
        first = merge({"when": defined}, applied and {"when": applied}, {"when": there}, overwrite=overwrite)
        after = first.changes[0].new if first.changes else there
        second = merge({"when": defined}, first.record, {"when": after})
        assert second.changes == ()
        assert second.record == first.record
        assert (after == defined) or not overwrite


def test_an_override_ends_when_somebody_takes_it_back():
    first = merge({"when": HOURLY}, {"when": DAILY}, {"when": WEEKLY})

    assert merge({"when": HOURLY}, first.record, {"when": DAILY}).changes == (
        FieldChange(field="when", old=DAILY, new=HOURLY),
    )


def test_a_field_that_a_record_does_not_know_yet_was_nobodys_to_override():
    merged = merge({"when": DAILY, "jitter": "PT1M"}, {"when": DAILY}, {"when": DAILY, "jitter": "PT0S"})

    assert merged.changes == (FieldChange(field="jitter", old="PT0S", new="PT1M"),)


def test_what_only_the_record_keeps_always_becomes_as_defined():
    merged = merge({"labels": {"team": "ops"}}, {"labels": {}}, {})

    assert (merged.changes, merged.overrides) == ((FieldChange(field="labels", old={}, new={"team": "ops"}),), ())
    assert merge({"labels": {"team": "ops"}}, None, {}).changes == ()


def test_the_record_holds_no_argument_and_says_when_it_is_damaged():
    fields = {
        name: as_recorded(name, value) for name, value in {"args": [{"secret": "hunter2"}], "when": DAILY}.items()
    }
    text = record_text(fields)

    assert "hunter2" not in text
    assert recorded_fields(text) == fields
    for damaged in (text.replace("@daily", "@hourly"), text[:-1], text.replace('"v":1', '"v":2'), "", None, 7, "[]"):
        assert recorded_fields(damaged) is None


def test_an_overridden_argument_is_known_by_its_digest():
    applied = {"args": as_recorded("args", [1])}

    assert merge({"args": [2]}, applied, {"args": [1]}).changes == (FieldChange(field="args", old=[1], new=[2]),)
    assert merge({"args": [2]}, applied, {"args": [3]}).overrides == (
        FieldOverride(field="args", kept=[3], defined=[2]),
    )
