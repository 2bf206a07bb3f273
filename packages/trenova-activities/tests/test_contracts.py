import json

import pytest
from pydantic import ValidationError

from trenova_activities import (
    ConfigurationCopiedPayload,
    DuplicateShipmentPayload,
    DuplicateShipmentResult,
    JobNotificationPayload,
    TransferCall,
    TransferShipmentsPayload,
)

ASKED = {
    "organizationId": "org_1",
    "businessUnitId": "bu_1",
    "userId": "usr_1",
    "shipmentId": "shp_1",
    "count": 3,
}


def test_the_wire_is_camel_case_both_ways():
    payload = DuplicateShipmentPayload.model_validate_json(json.dumps({**ASKED, "overrideDates": True}))

    assert payload.override_dates
    assert json.loads(payload.model_dump_json())["includeAdditionalCharges"] is False
    assert json.loads(payload.model_dump_json())["shipmentId"] == "shp_1"


def test_a_field_from_the_future_is_ignored():
    assert DuplicateShipmentPayload.model_validate_json(json.dumps({**ASKED, "colour": "red"})).count == 3


def test_a_null_is_an_absent_field_as_go_writes_nil_maps_and_slices():
    payload = DuplicateShipmentPayload.model_validate_json(
        json.dumps({**ASKED, "metadata": None, "idempotencyKey": None, "overrideDates": None})
    )
    told = {"organizationId": "o", "businessUnitId": "b", "jobType": "x", "success": True, "userId": "u"}
    notification = JobNotificationPayload.model_validate_json(
        json.dumps({**told, "targetRole": None, "data": None, "relatedEntities": [{"type": "t", "id": "1"}]})
    )

    assert (payload.metadata, payload.override_dates) == ({}, False)
    assert (notification.data, notification.related_entities[0].id) == ({}, "1")


@pytest.mark.parametrize("count", [0, -1, 101, "3", 3.0, True, None, [3]])
def test_a_count_that_is_no_whole_number_from_1_to_100_is_refused(count):
    with pytest.raises(ValidationError, match="count"):
        DuplicateShipmentPayload.model_validate_json(json.dumps({**ASKED, "count": count}))


@pytest.mark.parametrize("field", ["organizationId", "businessUnitId", "userId", "shipmentId", "count"])
def test_a_missing_field_is_named_as_the_caller_writes_it(field):
    asked = {name: value for name, value in ASKED.items() if name != field}

    with pytest.raises(ValidationError, match=field):
        DuplicateShipmentPayload.model_validate_json(json.dumps(asked))


def test_the_digest_is_what_was_asked_and_neither_when_nor_under_which_key():
    payload = DuplicateShipmentPayload.model_validate(ASKED)

    same = payload.model_copy(update={"timestamp": 5, "metadata": {"a": 1}, "idempotency_key": "k"})
    assert same.digest() == payload.digest()
    for change in ({"count": 4}, {"shipment_id": "shp_2"}, {"override_dates": True}, {"user_id": "usr_2"}):
        assert payload.model_copy(update=change).digest() != payload.digest()


def test_a_field_that_a_later_release_adds_leaves_the_digest_as_it_is():
    class Later(DuplicateShipmentPayload):
        colour: str = "red"

    asked = DuplicateShipmentPayload.model_validate(ASKED)
    assert Later.model_validate(ASKED).digest() == asked.digest()
    assert Later.model_validate({**ASKED, "overrideDates": False}).digest() == asked.digest()


@pytest.mark.parametrize("change", [{"idempotencyKey": "k/notify"}, {"timestamp": 2**63}, {"timestamp": -1}])
def test_what_could_not_be_stored_or_would_collide_is_refused(change):
    with pytest.raises(ValidationError, match=next(iter(change))):
        DuplicateShipmentPayload.model_validate_json(json.dumps({**ASKED, **change}))


def test_the_digest_never_changes_between_releases():
    digest = DuplicateShipmentPayload.model_validate(ASKED).digest()

    assert digest == "ecfea92137bb73a95ef2c2002a5d300870bab825283d119a39212f58626accd8"


def test_a_result_is_read_back_as_it_was_written():
    result = DuplicateShipmentResult(job_id="j", count=1, pro_numbers=["S1"], shipment_ids=["shp_2"], result="Done.")

    assert DuplicateShipmentResult.model_validate_json(result.model_dump_json()) == result


@pytest.mark.parametrize("target", [{}, {"userId": "usr_1", "targetRole": "dispatcher"}])
def test_a_notification_has_exactly_one_target(target):
    told = {"organizationId": "o", "businessUnitId": "b", "jobType": "x", "success": True, **target}

    with pytest.raises(ValidationError, match="exactly one of userId and targetRole"):
        JobNotificationPayload.model_validate_json(json.dumps(told))


@pytest.mark.parametrize("field", ["userId", "configId", "configName"])
def test_a_copied_configuration_needs_owner_id_and_name(field):
    told = {"organizationId": "o", "businessUnitId": "b", "userId": "u", "configId": "c", "configName": "n"}

    with pytest.raises(ValidationError, match=field):
        ConfigurationCopiedPayload.model_validate_json(json.dumps({**told, field: ""}))


MOVED = {
    "organizationId": "org_1",
    "businessUnitId": "bu_1",
    "userId": "usr_1",
    "shipmentIds": ["shp_1", "shp_2"],
    "customerId": "cus_2",
}


@pytest.mark.parametrize(
    "shipments", [[], [f"shp_{n}" for n in range(101)], ["shp_1", "shp_1"], [""], "shp_1", [7]], ids=str
)
def test_a_transfer_names_one_to_a_hundred_shipments_each_once(shipments):
    with pytest.raises(ValidationError, match="shipmentIds"):
        TransferShipmentsPayload.model_validate_json(json.dumps({**MOVED, "shipmentIds": shipments}))


def test_the_digest_of_a_transfer_is_what_was_asked_in_any_order_and_by_any_run():
    payload = TransferShipmentsPayload.model_validate(MOVED)
    call = TransferCall(**payload.model_dump(), run_id="run", step="copy")

    same = payload.model_copy(update={"shipment_ids": ["shp_2", "shp_1"], "timestamp": 5, "idempotency_key": "k"})
    assert payload.digest() == same.digest() == call.digest()
    for change in ({"shipment_ids": ["shp_1"]}, {"customer_id": "cus_3"}, {"reason": "Sold"}, {"user_id": "usr_2"}):
        assert payload.model_copy(update=change).digest() != payload.digest()


def test_a_field_that_a_later_release_adds_leaves_the_digest_of_a_transfer_as_it_is():
    class Later(TransferShipmentsPayload):
        colour: str = "red"

    assert Later.model_validate(MOVED).digest() == TransferShipmentsPayload.model_validate(MOVED).digest()
