import pytest

from trenova_workers import Registrations
from trenova_workers._fleet._checking import _among
from trenova_workers._fleet._differences import Member, differences
from trenova_workers._fleet._registrations import PLUGIN_NAME, registrations_in

BOTH = Registrations.of(workflows=["B", "A"], activities=["x", "y"])


def test_registrations_are_read_back_from_the_name_of_a_plugin():
    name = BOTH.plugin_name()

    assert registrations_in(["other", name]) == BOTH
    assert BOTH.workflows == ("A", "B")
    assert len(name) < 150


def test_the_wire_contract_holds():
    assert registrations_in([WIRE]) == Registrations.of(workflows=["Rest"], activities=["rest"])


WIRE = (
    "trenova_workers.Registrations/1/48666705d78f/"
    "eNqrVkpMLsksyyzJTC1WsopWKkotLlGK1VHKS60oBQkAmeX5RdlpOfnlYPkgsHwtAB5oEy0"
)


def test_the_order_of_names_makes_no_difference():
    assert Registrations.of(workflows=["A", "B", "A"], activities=["y", "x"]) == BOTH
    assert Registrations.of(workflows=["A"], activities=["B"]).digest != Registrations.of(activities=["A", "B"]).digest


def test_too_many_names_are_told_by_their_digest():
    many = Registrations.of(activities=[f"{number * 7919:x}-{number * 104729:x}" for number in range(3000)])
    read = registrations_in([many.plugin_name()])

    assert (read.digest, read.known, read.activities) == (many.digest, False, ())
    assert len(many.plugin_name()) < 100


@pytest.mark.parametrize("names", ["", "AAAA", "not base64!", "é", BOTH.plugin_name().rpartition("/")[2]])
def test_names_that_do_not_fit_their_digest_are_not_believed(names):
    read = registrations_in([f"{PLUGIN_NAME}/1/0123456789ab/{names}"])

    assert (read.known, read.workflows) == (False, ())


def test_a_worker_without_the_plugin_tells_nothing():
    assert registrations_in(["trenova_codecs.CodecPlugin/abc", f"{PLUGIN_NAME}"]) is None


def member(registrations, *, service="s", build="1", identity="s@h:2#bbbbbb"):
    return Member("q", identity, service, build, registrations)


def said(mine, other):
    return [(one.wrong, one.text) for one in differences(mine, [other])]


ME = member(BOTH, identity="s@h:1#aaaaaa")


def test_the_same_build_that_registers_otherwise_is_wrong():
    ((wrong, text),) = said(ME, member(Registrations.of(workflows=["A", "C"], activities=["x", "y"])))

    assert wrong
    assert "'q' is polled by s@h:1#aaaaaa (build 1) and by s@h:2#bbbbbb (build 1), the same build" in text
    assert "workflows only with the first: B; workflows only with the other: C." in text


def test_another_build_of_the_service_is_a_rollout():
    ((wrong, text),) = said(ME, member(Registrations.of(workflows=["A"], activities=["x", "y"]), build="2"))

    assert not wrong
    assert "workflows only with the first: B." in text


def test_another_service_is_wrong_whatever_its_build():
    ((wrong, text),) = said(ME, member(Registrations.of(workflows=["Z"]), service="t", build="2"))

    assert wrong
    assert "another service" in text


def test_builds_that_are_not_known_excuse_nothing():
    ((wrong, _),) = said(member(BOTH, build=None, identity="me"), member(Registrations.of(workflows=["A"]), build=None))

    assert wrong


def test_a_queue_may_have_workers_for_workflows_and_others_for_activities():
    assert (
        said(member(Registrations.of(workflows=["A"]), identity="me"), member(Registrations.of(activities=["x"]))) == []
    )


def test_a_dynamic_workflow_lacks_none():
    assert (
        said(member(Registrations.of(workflows=["*"]), identity="me"), member(Registrations.of(workflows=["*", "A"])))
        == []
    )


def test_who_does_not_tell_is_a_warning():
    ((wrong, text),) = said(ME, member(None))

    assert not wrong
    assert "not all names" in text


def test_those_that_are_alike_are_named_once():
    other = Registrations.of(workflows=["A"])
    found = list(differences(ME, [member(BOTH), *(member(other, identity=f"s@h:{pid}#cccccc") for pid in (3, 4, 5))]))

    assert len(found) == 1
    assert "s@h:3#cccccc (build 1) and 2 more like it" in found[0].text


def test_only_some_of_many_names_are_said():
    ((_, text),) = said(ME, member(Registrations.of(workflows=["A", "B"], activities=[f"a{n:02}" for n in range(30)])))

    assert "a00, a01, a02, a03, a04, a05, a06, a07, a08, a09 and 20 more" in text


def test_every_sort_is_compared_with_every_other():
    old = [member(BOTH, build="1", identity=f"s@h:{pid}#dddddd") for pid in (5, 6, 7)]
    new = member(Registrations.of(workflows=["A"]), build="2", identity="s@h:8#dddddd")
    odd = member(Registrations.of(workflows=["C"]), build="2", identity="s@h:9#dddddd")

    found = list(_among([*old, new, odd]))

    assert [remark.wrong for remark in found] == [False, False, True]
    assert "s@h:8#dddddd" in found[2].text


def test_one_that_has_yet_to_send_its_first_heartbeat_is_left_alone():
    begins = Member("q", "s@h:4#dddddd", "s", None, None, begins=True)

    assert list(_among([ME, begins])) == list(_among([begins, ME])) == []
