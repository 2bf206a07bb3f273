"""What flows into what Temporal stores in clear is found in the source, and what may be there is not reported."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from trenova_codecs._lint import check
from trenova_codecs._lint_names import NameRules
from trenova_codecs.cli import app

RULES = NameRules()


def rules_of(source: str, rules: NameRules = RULES) -> list[str]:
    return [finding.rule for finding in check(source, "code.py", rules)]


REPORTED = {
    "clear-search-attribute": [
        "SearchAttributePair(CITY, order.city)",
        "SearchAttributePair(KEY, value=order.remarks)",
        "SearchAttributePair(KEY, describe(order))",
        "workflow.upsert_search_attributes([CITY.value_set(order.summary)])",
        "workflow.upsert_search_attributes({'City': [order.city]})",
        "await client.start_workflow('w', id='x', task_queue='q', search_attributes={'Name': [customer.name]})",
        "SearchAttributePair(KEY, order['customer']['email'].lower())",
        "SearchAttributePair(KEYS, [stop.city for stop in order.stops])",
        "SearchAttributePair(KEY, api_key)",
    ],
    "clear-note": [
        "ScheduleState(note=f'for {customer.name}')",
        "ScheduleState(note=order.summary)",
        "await handle.pause(note=text)",
        "await handle.unpause(note='because of ' + remark)",
        "await handle.terminate(reason='%s gave up' % driver.name)",
        "ScheduleState(note='{} is late'.format(driver))",
    ],
    "clear-failure-type": [
        "raise ApplicationError('no', type=str(error))",
        "raise ApplicationError('no', type=f'Refused {order.remarks}')",
        "from temporalio.exceptions import ApplicationError as Failure\nraise Failure('no', type=describe(order))",
    ],
    "clear-id": [
        "await client.start_workflow('w', id=f'invoice-{customer.email}', task_queue='q')",
        "await client.execute_workflow('w', id='x', task_queue='{}-q'.format(tenant.api_key))",
        "await workflow.execute_activity('a', activity_id='mail-' + recipient_address)",
        "await workflow.start_child_workflow('w', id='-'.join(['greet', user.first_name]))",
        "await client.create_schedule(f'daily-{driver.full_name}', schedule)",
        "await handle.execute_update('u', id=phone)",
        "await handle.execute_update('u', id=password)",
        "Worker(client, task_queue=f'{accessToken}')",
        "await Client.connect('x:7233', identity=f'{user.name}@here')",
        "await workflow.execute_local_activity_method(A.b, activity_id=f'{ssn}')",
    ],
}

ACCEPTED = [
    "SearchAttributePair(ORGANIZATION_ID, payload.organization_id)",
    "SearchAttributePair(STATUS, Status.NEW.value)",
    "SearchAttributePair(STATUS, Status.InTransit)",
    "SearchAttributePair(STATUS, order.status)",
    "SearchAttributePair(KEY, 'a constant')",
    "SearchAttributePair(KEY, models.JOB_TYPE)",
    "SearchAttributePair(KEY, [stop.id for stop in order.stops])",
    "SearchAttributePair(KEY, order.customer.address.id)",
    "SearchAttributePair(KEY, len(order.stops))",
    "SearchAttributePair(KEY, order.weight > 1000)",
    "SearchAttributePair(KEY, datetime.now(UTC))",
    "SearchAttributePair(KEY, str(uuid4()))",
    "workflow.upsert_search_attributes({'Attempt': [attempt]})",
    "ScheduleState(note='Cancels old shipments.', paused=True)",
    "ScheduleState(note=f'Since version {VERSION}, by schedule {schedule_id}')",
    "await handle.pause()",
    "task.pause(seconds)",
    "raise ApplicationError('no', order.remarks, type='Refused')",
    "raise ApplicationError(f'{order.customer.email} is refused', type=ErrorKind.REFUSED.value)",
    "raise ApplicationError('no', type=type(error).__name__)",
    "raise ApplicationError('no', type=cause.type)",
    "await client.start_workflow('w', customer.email, id=f'invoice-{customer.id}', memo={'m': email})",
    "await client.start_workflow('w', id=f'notify/{email_id}/{secret_key_id}', task_queue=queue)",
    "await client.start_workflow('w', id=workflow_id, task_queue=settings.queues[0])",
    "await client.start_workflow('w', id=f'{QUEUE}/{secrets.token_hex(8)}', task_queue='q')",
    "await workflow.execute_activity('a', email, activity_id=f'send-{number}')",
    "create_order(id=email, note=remarks)",
    "Order(search_attributes=make(email))",
]


@pytest.mark.parametrize(("rule", "source"), [(rule, source) for rule, found in REPORTED.items() for source in found])
def test_data_in_clear_is_reported_under_the_rule_of_its_place(rule, source):
    assert rules_of(f"async def run():\n    {source.replace(chr(10), chr(10) + '    ')}\n") == [rule]


@pytest.mark.parametrize("source", ACCEPTED)
def test_constants_ids_and_what_is_not_temporals_are_not_reported(source):
    assert rules_of(f"async def run():\n    {source}\n") == []


@pytest.mark.parametrize(
    "source",
    [
        "def run(customer):\n    name = f'invoice-{customer.email}'\n    client.start_workflow('w', id=name)\n",
        "def run(customer):\n    a = customer.email\n    b = a.lower()\n    client.start_workflow('w', id='i' + b)\n",
        "MAIL = config.email\ndef run():\n    client.start_workflow('w', id=MAIL)\n",
        "def run(c):\n    if (mail := c.email) and True:\n        client.start_workflow('w', id=mail)\n",
        "def run(c):\n    text: str = c.email\n    def inner():\n        client.start_workflow('w', id=text)\n",
    ],
)
def test_a_name_is_followed_to_the_one_value_that_it_is_assigned(source):
    assert rules_of(source) == ["clear-id"]


@pytest.mark.parametrize(
    "source",
    [
        "key = config.email\ndef run(key):\n    client.start_workflow('w', id=key)\n",
        "key = config.email\ndef run(orders):\n    for key in orders:\n        client.start_workflow('w', id=key)\n",
        "def run(a):\n    a = a + a\n    a = f'{a}'\n    client.start_workflow('w', id=a)\n",
        "def run():\n    a = f'{a}'\n    client.start_workflow('w', id=a)\n",
    ],
)
def test_a_name_of_another_scope_or_of_several_values_is_not_followed(source):
    assert rules_of(source) == []


def test_a_finding_says_where_it_is_what_flows_and_what_to_do():
    (finding,) = check("ScheduleState(\n    note=order.remarks,\n)\n", "jobs/daily.py", RULES)

    assert str(finding).startswith("jobs/daily.py:2:10: clear-note `order.remarks` becomes part of a note")
    assert "never encrypted" in finding.message
    assert "# trenova: clear - <reason>" in finding.message


@pytest.mark.parametrize(
    "source",
    [
        "ScheduleState(note=text)  # trenova: clear - written by an operator\n",
        "ScheduleState(\n    note=text,  # trenova: clear: written by an operator\n)\n",
        "ScheduleState(  # trenova: clear, written by an operator\n    note=text,\n)\n",
    ],
)
def test_a_comment_with_a_reason_accepts_what_stands_on_its_line(source):
    assert rules_of(source) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("ScheduleState(note=text)  # trenova: clear\n", ["clear-comment"]),
        ("ScheduleState(note='text')  # trenova: clear - no longer needed\n", ["clear-comment"]),
        ("# trenova: clear - the whole file\n\nScheduleState(note=text)\n", ["clear-comment", "clear-note"]),
        ("ScheduleState(note='# trenova: clear - not a comment' + text)\n", ["clear-note"]),
    ],
)
def test_a_comment_without_reason_without_use_or_in_a_text_accepts_nothing(source, found):
    assert rules_of(source) == found


def test_a_team_allows_names_and_adds_words_of_its_own():
    source = "SearchAttributePair(PRO, order.pro)\nclient.start_workflow('w', id=f'{order.bol}')\n"

    assert rules_of(source) == ["clear-search-attribute"]
    assert rules_of(source, NameRules(allow=frozenset({"order.pro"}))) == []
    assert rules_of(source, NameRules(allow=frozenset({"pro"}), sensitive=frozenset({"bol"}))) == ["clear-id"]


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def invoke(*words: str):
        return CliRunner().invoke(app, ["lint", *words])

    return invoke


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text)


def test_the_command_lists_what_it_found_and_imports_nothing(run):
    write("src/a.py", "import sys\nsys.exit('imported')\nScheduleState(note=text)\n")
    write("src/deep/b.py", "raise ApplicationError('x', type=reason)\n")
    write("src/.venv/c.py", "ScheduleState(note=text)\n")

    result = run("src", "src/a.py")

    assert result.exit_code == 1
    assert [line.split(" ")[0] for line in result.stdout.splitlines()] == ["src/a.py:3:20:", "src/deep/b.py:1:34:"]
    assert result.stderr == "2 files, 2 findings\n"


def test_the_command_is_silent_and_ends_with_0_where_nothing_is_found(run):
    write("src/a.py", "ScheduleState(note='text')\n")

    result = run("src")

    assert (result.exit_code, result.stdout) == (0, "")


def test_names_are_allowed_on_the_command_line_and_in_pyproject(run):
    write("a.py", "SearchAttributePair(PRO, order.pro)\n")
    assert run("a.py").exit_code == 1

    assert run("a.py", "--allow", "pro").exit_code == 0
    write("pyproject.toml", '[tool.trenova-codecs.lint]\nallow = ["order.pro"]\n')
    assert run("a.py").exit_code == 0
    assert run("a.py", "--sensitive", "pro").exit_code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["missing"], "There is no missing"),
        (["empty"], "No Python file in empty"),
        (["broken.py"], "broken.py:1: this is not Python"),
        (["bytes.py"], "bytes.py: cannot be read as Python"),
        (["a.py", "--config", "missing.toml"], "There is no missing.toml"),
        (["a.py", "--config", "broken.py"], "is not TOML"),
        (["a.py", "--config", "other.toml"], "takes allow and sensitive"),
    ],
)
def test_what_cannot_be_checked_ends_with_2_and_says_why(run, words, said):
    Path("empty").mkdir()
    write("a.py", "")
    write("broken.py", "def (:\n")
    Path("bytes.py").write_bytes(b"x = '\xff'\n")
    write("other.toml", '[tool.trenova-codecs.lint]\nallow = "pro"\n')

    result = run(*words)

    assert result.exit_code == 2
    assert said in result.stderr
