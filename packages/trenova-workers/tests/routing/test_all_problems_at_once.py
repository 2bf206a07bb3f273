"""Problems of form do not hide those of values, nor do they bring others that are none."""

import pytest

from trenova_errors import ConfigurationError
from trenova_workers.routing import load_rules

ALL = """
groups: {one: [a, a], fine: [a, b], odd: [a, 5]}
classes: {big: {}}
rules:
  - name: first
    match: {urgency: urgent, min_bytes: 9, max_bytes: 3, wrokflow: X}
    target: {queue: a, group: fine}
  - match: {organization_class: huge}
    target: {group: nobody, priority: 9}
  - name: third
    match: {organization_class: big, workflow: A}
    target: {group: odd, fairness: non}
default: {qeue: x, overflow: {queue: b, above_wait_s: 3}}
"""


def problems(tmp_path, text):
    path = tmp_path / "rules.yaml"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load_rules(path)
    return [line.removeprefix(f"{path}: ") for line in caught.value.message.splitlines()]


def begins(lines):
    return sorted(line.partition(" is ")[0] for line in lines)


def test_everything_that_is_wrong_is_told_at_once(tmp_path):
    assert begins(problems(tmp_path, ALL)) == sorted(
        [
            "'classes.big.organizations'",
            "'default.qeue'",
            "'groups.odd.1'",
            "'groups.one'",
            "rule 'first': 'match.min_bytes'",
            "rule 'first': 'match.urgency'",
            "rule 'first': 'match.wrokflow'",
            "rule 'first': 'target.group'",
            "rule 'rule 2': 'match.organization_class'",
            "rule 'rule 2': 'name'",
            "rule 'rule 2': 'target.group'",
            "rule 'rule 2': 'target.priority'",
            "rule 'third': 'target.fairness'",
        ]
    )


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("rules: [{name: a, match: {wrokflow: X}, target: {}}, {name: b, target: {}}]", "rule 'a': 'match.wrokflow'"),
        ("rules: [{name: a, match: [], target: {}}, {name: b, target: {}}]", "rule 'a': 'match'"),
        ("urgencies: {soon: 9}\nrules: [{name: a, match: {urgency: soon}, target: {}}]", "'urgencies.soon'"),
        ("urgencies: [soon]\nrules: [{name: a, match: {urgency: soon}, target: {}}]", "'urgencies'"),
        ("groups: {two: [a, '']}\ndefault: {group: two}", "'groups.two.1'"),
        ("rules: [5]", "rule 'rule 1': 'the file'"),
        ("default: 5", "'default'"),
        ("{1: 2}", "'1'"),
    ],
)
def test_what_follows_only_from_a_fault_is_not_told(tmp_path, text, only):
    assert begins(problems(tmp_path, text)) == [only]
