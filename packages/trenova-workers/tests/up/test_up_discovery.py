from importlib.metadata import EntryPoint

import pytest

from trenova_workers._up._discovery import GROUP, Facts, Service, choose, installed_services, parse_facts
from trenova_workers._up._options import UpError


def point(name, value):
    return EntryPoint(name, value, GROUP)


def test_workers_come_by_name_each_once():
    found = [point("b", "b_worker"), point("a", "a_worker"), point("a", "a_worker")]

    assert installed_services(found) == [Service("a", "a_worker"), Service("b", "b_worker")]


def test_one_name_for_two_modules_is_refused():
    with pytest.raises(UpError, match="Two packages declare a worker 'a': modules one and two"):
        installed_services([point("a", "one"), point("a", "two")])


def test_no_worker_is_refused_with_the_name_of_the_group():
    with pytest.raises(UpError, match=r"no package declares the entry-point group 'trenova\.workers'"):
        installed_services([])


def test_only_those_asked_for_start():
    a, b = Service("a", "m"), Service("b", "m")

    assert choose([a, b], ["b"]) == [b]
    assert choose([a, b], []) == [a, b]
    with pytest.raises(UpError, match="No worker 'c' is installed; there are a, b"):
        choose([a, b], ["c"])


def test_what_a_worker_says_of_itself_is_read():
    text = '{"queues": ["q", "r"], "demo_order": 3, "settings": []}'

    assert parse_facts(Service("a", "m"), text) == Facts(("q", "r"), 3, 0.0)


def test_the_grace_of_a_worker_is_read_from_its_settings():
    setting = '{"key": "worker.graceful_shutdown_s", "value": 45, "source": "base.yaml"}'

    assert parse_facts(Service("a", "m"), f'{{"queues": [], "settings": [{setting}]}}').grace == 45


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"queues": 1}', "null"])
def test_what_is_no_description_is_refused(text):
    with pytest.raises(UpError, match="did not answer with JSON that names its queues"):
        parse_facts(Service("a", "m"), text)
