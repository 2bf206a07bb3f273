import pytest
from pydantic import ValidationError

from trenova_errors import ConfigurationError
from trenova_workers.routing import RoutingRules, load_rules

GOOD = """
urgencies: {now: 1, soon: 3, whenever: 5}
classes: {gold: {weight: 4, organizations: [org_a, org_b]}}
weights: {org_big: 0.5}
groups: {copies: [shipment-queue, shipment-queue-2]}
rules:
  - name: own queue
    match: {workflow: Duplicate*, organization: org_big}
    target: {isolation: {org_big: shipment-queue-big}, queue: shipment-queue}
  - name: copies
    match: {workflow: DuplicateShipmentWorkflow, organization_class: gold, urgency: [now, soon], max_bytes: 1000}
    target: {group: copies, priority: now, overflow: {queue: spill, above_wait_s: 30}}
default: {fairness: organization}
"""


@pytest.fixture
def refused(tmp_path):
    def lines(text: str) -> list[str]:
        path = tmp_path / "routing.yaml"
        path.write_text(text)
        with pytest.raises(ConfigurationError) as caught:
            load_rules(path)
        found = caught.value.message.splitlines()
        assert all(line.startswith(f"{path}: ") for line in found)
        return [line.removeprefix(f"{path}: ") for line in found]

    return lines


def test_rules_are_read_from_yaml_and_json_alike(tmp_path):
    (tmp_path / "r.yaml").write_text(GOOD)
    rules = load_rules(tmp_path / "r.yaml")
    (tmp_path / "r.json").write_text(rules.model_dump_json())

    assert load_rules(tmp_path / "r.json") == rules
    assert rules.queues() == {
        "shipment-queue": ["own queue", "copies"],
        "shipment-queue-big": ["own queue"],
        "shipment-queue-2": ["copies"],
        "spill": ["copies"],
    }


def test_an_empty_file_changes_nothing(tmp_path):
    (tmp_path / "r.yaml").write_text("")
    assert load_rules(tmp_path / "r.yaml") == RoutingRules()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ruels: []", "'ruels' is []: this key is not known. Did you mean 'rules'?"),
        (
            "rules: [{name: a, match: {workflw: X}, target: {}}]",
            "rule 'a': 'match.workflw' is 'X': this key is not known. Did you mean 'workflow'?",
        ),
        (
            "classes: {gold: {wieght: 2, organizations: [a]}}",
            "'classes.gold.wieght' is 2: this key is not known. Did you mean 'weight'?",
        ),
        ("rules: [{target: {}}]", "rule 'rule 1': 'name' is missing: Field required. Add it."),
        (
            "rules: [{name: a, target: {priority: 7}}]",
            (
                "rule 'a': 'target.priority' is 7: neither a number from 1 to 5 nor the name of an urgency. "
                "1 runs first, 5 last."
            ),
        ),
        (
            "rules: [{name: a, target: {priority: hihg}}]",
            (
                "rule 'a': 'target.priority' is 'hihg': neither a number from 1 to 5 nor the name of an urgency. "
                "Did you mean 'high'?"
            ),
        ),
        (
            "rules: [{name: a, target: {group: copies}}]",
            "rule 'a': 'target.group' is 'copies': no such group. There are none; declare it, or leave this out.",
        ),
        (
            "groups: {copies: [q]}",
            (
                "'groups.copies' is ['q']: a group needs two different queues to choose from. "
                "Add a queue, or name the one by 'queue'."
            ),
        ),
        (
            "rules: [{name: a, match: {urgency: hi}, target: {}}]",
            "rule 'a': 'match.urgency' is 'hi': no such urgency. Did you mean 'high'?",
        ),
        (
            "rules: [{name: a, match: {organization_class: tin}, target: {}}]",
            (
                "rule 'a': 'match.organization_class' is 'tin': no such class. "
                "There are none; declare it, or leave this out."
            ),
        ),
        (
            "rules: [{name: a, match: {min_bytes: 9, max_bytes: 8}, target: {}}]",
            "rule 'a': 'match.min_bytes' is 9: 'max_bytes' is 8, so nothing fits. Swap the two.",
        ),
        (
            "rules: [{name: a, target: {queue: q, overflow: {queue: r, above_wait_s: 3, back_below_s: 3}}}]",
            (
                "rule 'a': 'target.overflow.back_below_s' is 3.0: not below 'above_wait_s', which is 3, so starts "
                "would go to and fro. Lower it."
            ),
        ),
        (
            "rules: [{name: a, target: {queue: q, overflow: {queue: q, above_wait_s: 3}}}]",
            "rule 'a': 'target.overflow.queue' is 'q': the queue that it relieves. Name another queue.",
        ),
        (
            "rules: [{name: a, target: {}}, {name: b, match: {workflow: X}, target: {}}]",
            (
                "rule 'b': 'match' is 'b': never reached, because rule 'a' before it matches everything. "
                "Move it above 'a'."
            ),
        ),
        (
            "rules: [{name: a, match: {workflow: X}, target: {}}, {name: a, match: {workflow: Y}, target: {}}]",
            "rule 'a': 'name' is 'a': another has this name. Give it a name of its own.",
        ),
        (
            "classes: {x: {organizations: [a]}, y: {organizations: [a]}}",
            "'classes' is 'a': this organization is in 'x', 'y'. Leave it in one class.",
        ),
        (
            "default: {fairness_key: äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü}",
            (
                "rule 'default': 'target.fairness_key' is 'äöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü': 72 bytes of UTF-8; "
                "the server takes 64. Shorten it."
            ),
        ),
        (
            "default: {fairness: none, weight: 2}",
            (
                "rule 'default': 'target.weight' is 2.0: a weight belongs to a fairness key, and 'fairness' is 'none'. "
                "Leave it out."
            ),
        ),
        ("weights: {a: 5000}", "'weights.a' is 5000: Input should be less than or equal to 1000. Lower it."),
        ("load: {period_s: 1}", "'load.period_s' is 1: Input should be greater than or equal to 5. Raise it."),
        ("[a, b]", "holds a list. Write keys, such as 'rules:' and a list."),
        (
            "rules: [",
            "not YAML at line 1, column 9: expected the node content, but found '<stream end>'. Correct it there.",
        ),
    ],
)
def test_a_problem_names_its_rule_key_value_and_cure(refused, text, said):
    assert refused(text) == [said]


def test_all_problems_are_told_at_once(refused):
    assert len(refused("groups: {g: [q]}\nrules: [{name: a, target: {group: h}}, {name: a, target: {}}]")) == 4


def test_rules_made_in_python_are_checked_as_well():
    with pytest.raises(ValidationError, match="no such group"):
        RoutingRules.model_validate({"default": {"group": "copies"}})


def test_a_file_that_is_not_there_says_which_settings_name_it(tmp_path):
    with pytest.raises(
        ConfigurationError, match=r"nowhere.yaml' do not exist. Correct routing.rules \(TRENOVA_ROUTING"
    ):
        load_rules(tmp_path / "nowhere.yaml")
