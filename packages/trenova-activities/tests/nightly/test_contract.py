import json

import pytest
from pydantic import ValidationError

from trenova_activities import (
    CancelShipmentsPayload,
    CancelShipmentsProgress,
    CancelShipmentsResult,
    DeleteAuditEntriesPayload,
    RunState,
)
from trenova_activities.database import NotifyRoles


def test_everything_has_a_default_and_null_is_absent():
    asked = '{"organizationIds": null, "dryRun": null, "batchSize": null, "metadata": null, "run": null}'

    assert CancelShipmentsPayload.model_validate_json("{}") == CancelShipmentsPayload()
    assert CancelShipmentsPayload.model_validate_json(asked) == CancelShipmentsPayload()


@pytest.mark.parametrize(
    "wrong",
    [
        {"batchSize": 0},
        {"batchSize": 10_001},
        {"batchSize": "5"},
        {"dryRun": "yes"},
        {"organizationIds": [""]},
        {"organizationIds": ["org_1", " "]},
        {"organizationIds": "org_1"},
    ],
)
def test_what_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        CancelShipmentsPayload.model_validate_json(json.dumps(wrong))


@pytest.mark.parametrize("model", [CancelShipmentsPayload, DeleteAuditEntriesPayload])
@pytest.mark.parametrize(
    "wrong",
    [
        {"organizationIDs": ["org_1"]},
        {"dryrun": True},
        {"DryRun": True},
        {"organization_id": "org_1"},
        {"run": {"runId": "r", "workflowTime": 1}, "dryrun": True},
        {"dryRun": True, "dry_run": False},
    ],
)
def test_a_field_that_is_not_known_is_refused_by_name(model, wrong):
    with pytest.raises(ValidationError, match=max(wrong)):
        model.model_validate_json(json.dumps(wrong))
    with pytest.raises(ValidationError, match=max(wrong)):
        model(**wrong)


def test_the_refusal_says_which_fields_there_are_and_repeats_no_value():
    wrong = {"organizationIDs": ["org_secret"], "dryrun": True, "x" * 500: "org_secret"}

    with pytest.raises(ValidationError) as caught:
        CancelShipmentsPayload.model_validate_json(json.dumps(wrong))
    [problem] = caught.value.errors(include_url=False, include_input=False)
    assert problem["msg"] == (
        f"unknown field 'dryrun', 'organizationIDs', '{'x' * 30}'; "
        "the fields are organizationIds, dryRun, batchSize, planHash, timestamp, metadata"
    )
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("wrong", [{"organization_ids": ["org_1"]}, {"dry_run": True}, {"batch_size": 5}])
def test_on_the_wire_a_field_has_one_spelling_and_python_may_use_its_own(wrong):
    with pytest.raises(ValidationError, match=f"unknown field '{next(iter(wrong))}'; the fields are organizationIds, "):
        CancelShipmentsPayload.model_validate_json(json.dumps(wrong))

    by_alias = CancelShipmentsPayload(**wrong).model_dump(by_alias=True)
    assert CancelShipmentsPayload(**by_alias) == CancelShipmentsPayload(**wrong)


def test_what_a_worker_of_another_version_carries_on_is_read():
    asked = {"dryRun": True, "later": None, "run": {"runId": "r", "workflowTime": 1, "later": [1]}}

    read = CancelShipmentsPayload.model_validate_json(json.dumps(asked))
    assert (read.dry_run, read.run) == (True, RunState(run_id="r", workflow_time=1))


def test_the_digest_is_what_was_asked_in_any_order_and_never_changes():
    payload = CancelShipmentsPayload(organization_ids=["org_2", "org_1"])

    same = CancelShipmentsPayload(
        organization_ids=["org_1", "org_2", "org_1"],
        timestamp=5,
        metadata={"a": 1},
        run=RunState(run_id="r", workflow_time=7),
    )
    assert same.digest() == payload.digest()
    assert payload.model_copy(update={"dry_run": True}).digest() != payload.digest()
    assert payload.digest() == "8dcb70064be2824ccd0175886bd79bad576ca0059ecd15c72f756f9932591440"


def test_a_field_that_a_later_version_adds_leaves_the_digest_of_a_run_under_way_as_it_is():
    class Later(CancelShipmentsPayload):
        reason: str | None = None

    assert Later(dry_run=True).digest() == CancelShipmentsPayload(dry_run=True).digest()
    assert Later(reason="audit").digest() != CancelShipmentsPayload().digest()
    written = Later(organization_ids=["org_1"]).at(RunState(run_id="r", workflow_time=1)).model_dump_json()
    assert CancelShipmentsPayload.model_validate_json(written).organization_ids == ["org_1"]


def test_the_result_is_what_the_go_api_reads():
    result = CancelShipmentsResult.model_validate(
        {
            "totalCancelled": 1,
            "skippedOrgs": [{"organizationId": "o", "reason": "r"}],
            "processedOrgs": [
                {"organizationId": "o", "businessUnitId": "b", "cancelledCount": 1, "cancelledProNums": ["S1"]}
            ],
            "partialFailures": [{"organizationId": "o", "businessUnitId": "b", "error": "e"}],
            "result": "1 shipment was canceled.",
        }
    )

    written = json.loads(result.model_dump_json())
    assert set(written) == {
        *("totalCancelled", "skippedOrgs", "processedOrgs", "partialFailures", "result", "data", "truncated"),
    }
    assert set(written["processedOrgs"][0]) == {
        *("organizationId", "businessUnitId", "cancelledCount", "cancelledProNums", "truncated"),
    }


def test_a_progress_from_an_older_worker_is_read():
    assert CancelShipmentsProgress.model_validate_json('{"done": false, "colour": "red"}').notices == []


def test_a_role_may_differ_by_organization():
    roles = NotifyRoles(default="dispatch", organizations={"org_1": "owner"})

    assert (roles.role_of("org_1"), roles.role_of("org_2"), NotifyRoles().role_of("org_1")) == (
        "owner",
        "dispatch",
        "admin",
    )
