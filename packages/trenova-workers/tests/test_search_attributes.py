import uuid

import pytest
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest

from trenova_errors import ConfigurationError
from trenova_workers._search_attributes import check_search_attributes, register_search_attributes

KEYWORD = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
KEYWORD_LIST = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST
INT = IndexedValueType.INDEXED_VALUE_TYPE_INT


@pytest.fixture
def name():
    return f"Tag{uuid.uuid4().hex[:8]}"


async def registered(client):
    answer = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace="default"))
    return answer.custom_attributes


async def test_what_is_missing_is_registered_once(client, name):
    assert await register_search_attributes(client, {name: KEYWORD}) == [name]
    assert await register_search_attributes(client, {name: KEYWORD}) == []
    assert (await registered(client))[name] == KEYWORD


async def test_another_type_already_there_is_refused_naming_both(client, name):
    await register_search_attributes(client, {name: KEYWORD_LIST})

    with pytest.raises(ConfigurationError, match=rf"{name}.* has type KeywordList, needed is Int"):
        await register_search_attributes(client, {name: INT})
    assert (await registered(client))[name] == KEYWORD_LIST


async def test_one_wrong_type_leaves_the_others_unregistered(client, name):
    with pytest.raises(ConfigurationError, match="'WorkflowType'"):
        await register_search_attributes(client, {name: KEYWORD, "WorkflowType": INT})
    assert name not in await registered(client)


async def test_a_server_that_has_no_room_is_quoted(client, name):
    with pytest.raises(ConfigurationError, match=r"The server refuses the search attributes .*: "):
        await register_search_attributes(client, {f"{name}{n}": INT for n in range(4)})


async def test_a_check_tells_without_registering(client, name):
    await register_search_attributes(client, {f"{name}There": KEYWORD})

    findings = await check_search_attributes(client, {f"{name}There": KEYWORD, name: INT})
    wrong = await check_search_attributes(client, {f"{name}There": INT})

    assert [(f.ok, f.detail) for f in findings] == [(True, "Keyword"), (False, "missing, needed as Int; run 'prepare'")]
    assert wrong[0].detail.startswith("is Keyword, needed is Int")
    assert name not in await registered(client)
