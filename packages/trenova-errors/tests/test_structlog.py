"""Each case configures a process of its own, since logging belongs to the process."""

import json
import subprocess
import sys

import pytest

from trenova_errors import ConfigurationError
from trenova_errors.structlog import LoggingOptions

SECRET = "hunter2-hunter2"
PROGRAM = """
import logging
import structlog
from trenova_errors.structlog import LoggingOptions, configure_logging

configure_logging(LoggingOptions({options}))
{lines}
"""


def _said(lines, options=""):
    program = PROGRAM.format(options=options, lines=lines)
    done = subprocess.run([sys.executable, "-W", "error", "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return done.stderr


def _objects(lines, options=""):
    return [json.loads(line) for line in _said(lines, options).splitlines()]


def test_a_logger_may_have_a_level_of_its_own():
    said = _objects(
        """
for name in ("chatty.below", "quiet", "other"):
    logging.getLogger(name).debug("debug")
    logging.getLogger(name).info("info")
    logging.getLogger(name).warning("warning")
""",
        'loggers={"chatty": "warning", "quiet": "debug"}, context={"service": "s"}',
    )

    assert [(line["logger"], line["event"]) for line in said] == [
        ("chatty.below", "warning"),
        ("quiet", "debug"),
        ("quiet", "info"),
        ("quiet", "warning"),
        ("other", "info"),
        ("other", "warning"),
    ]
    assert {line["service"] for line in said} == {"s"}


def test_both_kinds_of_loggers_leave_by_the_same_way_with_what_is_bound():
    first, second = _objects(
        """
structlog.contextvars.bind_contextvars(organization_id="org_1")
structlog.get_logger("a").warning("one of %s", "structlog", count=1)
logging.getLogger("b").warning("one of %s", "logging", extra={"count": 2})
"""
    )

    assert first == {**first, "event": "one of structlog", "count": 1, "organization_id": "org_1", "level": "warning"}
    assert second == {**second, "event": "one of logging", "count": 2, "organization_id": "org_1", "logger": "b"}
    assert first["timestamp"].endswith("Z")


def test_what_the_sdk_knows_of_a_workflow_becomes_keys_of_ours():
    [line] = _objects(
        """
details = {"workflow_id": "w", "workflow_run_id": "r", "workflow_type": "T", "attempt": 2, "task_queue": "q"}
logging.getLogger("x").info("e", extra={"temporal_activity": details, "activity_info": object()})
"""
    )

    assert {name: line[name] for name in ("workflow_id", "run_id", "workflow_type", "attempt", "task_queue")} == {
        "workflow_id": "w",
        "run_id": "r",
        "workflow_type": "T",
        "attempt": 2,
        "task_queue": "q",
    }
    assert not {"temporal_activity", "activity_info"} & line.keys()


def test_secrets_are_hidden_in_json_and_on_the_console():
    lines = f"""
structlog.get_logger().info("in", password="{SECRET}", request={{"headers": {{"Authorization": "{SECRET}"}}}})
logging.getLogger().warning("to postgresql://u:{SECRET}@h/d", extra={{"api_key": "{SECRET}"}})
structlog.contextvars.bind_contextvars(token="{SECRET}")
structlog.get_logger().info("bound")
"""
    for options in ("", 'format="console"'):
        said = _said(lines, options)
        assert SECRET not in said
        assert said.count("***") == 5 if options else said.count("***") >= 5


def test_the_console_is_for_people_and_says_no_constant_context():
    said = _said('structlog.get_logger("a").info("hello", n=1)', 'format="console", context={"service": "s"}')

    assert "hello" in said
    assert "n=1" in said
    assert "service" not in said
    assert "\x1b" not in said


def test_a_traceback_shows_no_local_variables():
    lines = f"""
try:
    kept_here = "{SECRET}"
    1 / 0
except ZeroDivisionError:
    structlog.get_logger().exception("failed")
    logging.getLogger().exception("failed too")
"""
    for options in ("", 'format="console"'):
        said = _said(lines, options)
        assert said.count("ZeroDivisionError") == 2
        assert SECRET not in said.replace(f'kept_here = "{SECRET}"', "")


def test_neither_the_root_nor_importing_the_module_configures_anything():
    program = """
import logging, sys
import trenova_errors
assert "structlog" not in sys.modules
import trenova_errors.structlog
import structlog
assert not logging.getLogger().handlers
assert not structlog.is_configured()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=60)


def test_a_password_in_the_message_of_an_exception_is_hidden_in_both_formats():
    lines = f"""
try:
    raise OSError("cannot reach postgres://u:" + "{SECRET[::-1]}"[::-1] + "@h")
except OSError as error:
    structlog.get_logger().exception("failed", cause=error)
    logging.getLogger().exception("failed too")
"""
    for options in ("", 'format="console"'):
        said = _said(lines, options)
        assert said.count("OSError") >= 2
        assert SECRET not in said


def test_a_format_that_does_not_exist_is_refused():
    with pytest.raises(ConfigurationError, match=r"format is 'xml'\. Set it to one of console, json"):
        LoggingOptions(format="xml")
