import random
from hashlib import sha256

import pytest
from temporalio.common import Priority

from trenova_workers.routing import Router, RoutingRules, StartRequest, fairness_key

RULES = RoutingRules.model_validate(
    {
        "classes": {"gold": {"weight": 4, "organizations": ["org_a", "org_b"]}},
        "weights": {"org_big": 0.5, "org_b": 2},
        "groups": {"copies": ["q1", "q2"]},
        "rules": [
            {
                "name": "alone",
                "match": {"workflow": "Duplicate*", "organization": ["org_big", "org_huge"]},
                "target": {"queue": "shared", "isolation": {"org_big": "big"}},
            },
            {
                "name": "large",
                "match": {"workflow": ["Copy", "Duplicate?"], "min_bytes": 1000},
                "target": {"queue": "large"},
            },
            {"name": "urgent", "match": {"urgency": ["critical", "high"]}, "target": {"queue": "fast", "weight": 9}},
            {
                "name": "gold",
                "match": {"organization_class": "gold", "workflow": "Report"},
                "target": {"group": "copies"},
            },
            {"name": "mail", "match": {"queue": "mail-*"}, "target": {"priority": "bulk", "fairness_key": "mail"}},
            {"name": "plain", "match": {"workflow": "Plain"}, "target": {"fairness": "none"}},
        ],
    }
)
ASKED = "asked"


@pytest.fixture
def router() -> Router:
    return Router(RULES, random=lambda: 0.6)


@pytest.mark.parametrize(
    ("request_", "rule", "queue", "priority"),
    [
        (
            StartRequest("DuplicateX", ASKED, "org_big"),
            "alone",
            "big",
            Priority(fairness_key="org_big", fairness_weight=0.5),
        ),
        (StartRequest("DuplicateX", ASKED, "org_huge"), "alone", "shared", Priority(fairness_key="org_huge")),
        (
            StartRequest("duplicateX", ASKED, "org_big"),
            "default",
            ASKED,
            Priority(fairness_key="org_big", fairness_weight=0.5),
        ),
        (StartRequest("Copy", ASKED, size=1000), "large", "large", Priority()),
        (StartRequest("Copy", ASKED, size=999), "default", ASKED, Priority()),
        (StartRequest("Copy", ASKED), "default", ASKED, Priority()),
        (StartRequest("X", ASKED, "o", "high"), "urgent", "fast", Priority(2, "o", 9.0)),
        (StartRequest("X", ASKED, "o", "low"), "default", ASKED, Priority(4, "o")),
        (StartRequest("X", ASKED, "o", "whatever"), "default", ASKED, Priority(None, "o")),
        (StartRequest("Report", ASKED, "org_a"), "gold", "q2", Priority(None, "org_a", 4.0)),
        (StartRequest("Report", ASKED, "org_b"), "gold", "q2", Priority(None, "org_b", 2.0)),
        (StartRequest("Report", ASKED, "org_c"), "default", ASKED, Priority(None, "org_c")),
        (StartRequest("X", "mail-1", "o", "low"), "mail", "mail-1", Priority(5, "mail")),
        (StartRequest("Plain", ASKED, "o"), "plain", ASKED, Priority()),
    ],
)
def test_the_first_rule_that_matches_decides(router, request_, rule, queue, priority):
    assert router.route(request_) == (queue, priority, rule)


def test_without_rules_nothing_changes_but_fairness():
    assert Router(RoutingRules()).route(StartRequest("X", ASKED, "o")) == (ASKED, Priority(fairness_key="o"), "default")
    assert Router(RoutingRules()).route(StartRequest("X", ASKED)) == (ASKED, Priority(), "default")


def test_an_explanation_says_why_each_rule_did_not_match(router):
    steps = router.explain(StartRequest("Report", ASKED, "org_a", "low")).steps

    assert [(step.subject, step.applies, step.detail) for step in steps] == [
        (
            "rule alone",
            False,
            "workflow 'Report' is not 'Duplicate*'; organization 'org_a' is not 'org_big' or 'org_huge'",
        ),
        (
            "rule large",
            False,
            "workflow 'Report' is not 'Copy' or 'Duplicate?'; size (not known) is not at least 1000 bytes",
        ),
        ("rule urgent", False, "urgency 'low' is not 'critical' or 'high'"),
        ("rule gold", True, "matches; later rules are not looked at"),
        ("queue", True, "any of the group, as nothing is known of its load"),
        ("priority", True, "4: urgency 'low'"),
        ("fairness", True, "key 'org_a': the organization; weight 4"),
    ]


def test_an_explanation_agrees_with_the_route_and_gives_a_reason_for_every_rule(router):
    chance = random.Random(3)
    for _ in range(2000):
        request = StartRequest(
            chance.choice(["DuplicateX", "Copy", "Report", "Plain", "Duplicate1"]),
            chance.choice([ASKED, "mail-7"]),
            chance.choice([None, "org_a", "org_b", "org_big", "o"]),
            chance.choice([None, "critical", "high", "low", "odd"]),
            chance.choice([None, 10, 5000]),
        )
        explanation = router.explain(request)
        assert explanation.route == router.route(request)
        *passed, matched = [step for step in explanation.steps if step.subject.startswith("rule ")]
        assert matched.applies
        assert matched.subject == f"rule {explanation.route.rule}"
        assert all(not step.applies and step.detail for step in passed)


def test_rules_are_exchanged_as_a_whole_and_a_decision_keeps_its_own(router):
    decision = router.decide(StartRequest("X", ASKED, urgency="high"))
    router.replace(RoutingRules.model_validate({"default": {"queue": "new"}}))

    assert decision.route(None).queue == "fast"
    assert router.route(StartRequest("X", ASKED, urgency="high")).queue == "new"


def test_the_cache_of_rules_stays_bounded(router):
    for number in range(5000):
        assert router.route(StartRequest("DuplicateX", ASKED, f"org_{number}")).queue == ASKED
    assert router.route(StartRequest("DuplicateX", ASKED, "org_big")).queue == "big"
    assert len(router.decide(StartRequest("X", ASKED)).ready._index) <= 4096


def test_size_is_asked_only_where_a_rule_that_may_match_wants_it(router):
    assert router.asks_size("Copy", None)
    assert not router.asks_size("Report", "org_a")


@pytest.mark.parametrize("organization", ["o", "a" * 64, "ä" * 32])
def test_an_organization_that_fits_is_its_own_fairness_key(organization):
    assert fairness_key(organization) == organization


@pytest.mark.parametrize("organization", ["a" * 65, "ä" * 33, "a" * 30 + "ä" * 20, "🚚" * 100])
def test_a_long_organization_gets_a_key_of_at_most_64_bytes_that_others_can_compute(organization):
    key = fairness_key(organization)
    beginning, _, digest = key.rpartition("~")

    assert len(key.encode()) <= 64
    assert organization.startswith(beginning)
    assert digest == sha256(organization.encode()).hexdigest()[:32]


def test_long_organizations_that_begin_alike_have_different_keys():
    assert fairness_key("a" * 65) != fairness_key("a" * 66)
