import json
import subprocess
import sys

from trenova_workers import LogOptions

PROGRAM = """
import logging
from trenova_errors.structlog import configure_logging
from trenova_workers import LogOptions

options = LogOptions(loggers={"chatty": "warning", "quiet": "debug"})
configure_logging(options.logging(env="prod", service="s"))
for name in ("chatty.below", "quiet", "other"):
    logging.getLogger(name).debug("debug")
    logging.getLogger(name).info("info")
    logging.getLogger(name).warning("warning")
"""


def test_a_logger_may_have_a_level_of_its_own():
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True).stderr

    lines = [json.loads(line) for line in said.splitlines()]
    assert [(line["logger"], line["event"]) for line in lines] == [
        ("chatty.below", "warning"),
        ("quiet", "debug"),
        ("quiet", "info"),
        ("quiet", "warning"),
        ("other", "info"),
        ("other", "warning"),
    ]
    assert {line["service"] for line in lines} == {"s"}


def test_auto_is_a_console_in_dev_and_json_elsewhere():
    options = LogOptions(level="warning")

    assert options.logging(env="dev", service="s").format == "console"
    assert options.logging(env="prod", service="s").format == "json"
    assert LogOptions(format="json").logging(env="dev", service="s").format == "json"
    assert options.logging(env="prod", service="s").loggers["aiohttp.access"] == "warning"
