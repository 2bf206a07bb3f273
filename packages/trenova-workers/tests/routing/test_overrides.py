from trenova_workers.routing import OverrideChange, RoutingRules
from trenova_workers.routing._overrides import desired_overrides, left_alone, plan_overrides, remember

SLOT = ("q", "workflow")


def rules(*, targets, **more):
    numbered = [
        {"name": f"r{number}", "match": {"workflow": f"W{number}"}, "target": target}
        for number, target in enumerate(targets)
    ]
    return RoutingRules.model_validate({"weights": {"org_a": 2}, "rules": numbered, **more})


def test_every_queue_gets_the_weights_of_organizations_for_both_kinds_of_tasks():
    wanted = desired_overrides(
        rules(
            targets=[{"queue": "q"}, {"group": "g"}],
            groups={"g": ["r", "s"]},
            classes={"gold": {"weight": 4, "organizations": ["org_a", "org_" + "x" * 80]}},
        )
    )

    assert set(wanted) == {(queue, kind) for queue in "qrs" for kind in ("workflow", "activity")}
    assert wanted[SLOT]["org_a"] == 2
    assert sorted(wanted[SLOT].values()) == [2, 4]
    assert all(len(key) <= 64 for key in wanted[SLOT])


def test_a_queue_whose_rules_weigh_for_themselves_gets_no_weights_of_organizations():
    assert desired_overrides(rules(targets=[{"queue": "q"}, {"queue": "q", "weight": 3}]))[SLOT] == {}


def test_a_fixed_key_gets_its_weight_if_the_rules_agree_on_it():
    mail = {"queue": "q", "fairness_key": "mail", "weight": 0.2}
    assert desired_overrides(rules(targets=[mail, mail]))[SLOT] == {"mail": 0.2}
    assert desired_overrides(rules(targets=[mail, {**mail, "weight": 1}]))[SLOT] == {}


def test_what_is_as_wanted_is_no_change_though_the_server_rounds():
    assert plan_overrides({SLOT: {"a": 0.20000000298}}, {SLOT: {"a": 0.2}}, {}) == []


def test_only_what_we_set_and_nobody_changed_since_is_taken_away():
    there = {SLOT: {"ours": 2.0, "changed": 9.0, "foreign": 3.0}}
    recorded = {SLOT: {"ours": 2.0, "changed": 2.0, "gone": 1.0}}

    assert plan_overrides(there, {}, recorded) == [OverrideChange(*SLOT, "ours", 2.0, None)]
    assert [one.key for one in left_alone(there, {}, recorded)] == ["changed", "foreign"]


def test_a_weight_of_somebody_else_that_the_rules_know_is_set_and_said():
    [change] = plan_overrides({SLOT: {"a": 3.0}}, {SLOT: {"a": 2.0}}, {})
    assert (change.before, change.after, change.note) == (3.0, 2.0, "was set by somebody else")


def test_what_was_already_as_wanted_does_not_become_ours():
    changes = plan_overrides({SLOT: {"a": 2.0}}, {SLOT: {"a": 2.0, "b": 1.0}}, {})
    assert remember({}, changes, {SLOT: {"a": 2.0, "b": 1.0}}) == {SLOT: {"b": 1.0}}
