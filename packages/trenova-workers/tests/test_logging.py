import json
import subprocess
import sys

PROGRAM = """
import logging
from trenova_workers import LogOptions
from trenova_workers._logging import configure_logging

configure_logging(LogOptions(loggers={"chatty": "warning", "quiet": "debug"}), env="prod", service="s")
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
