import signal
from importlib.metadata import EntryPoint

from trenova_workers._up._preparations import GROUP, Preparation, installed_preparations

TELLS = """\
import os, pathlib
before = os.environ.get("TRENOVA_SERVER_DATABASE", "none")
print(f"prepared {os.environ['TRENOVA_DATA_DIR']}, server database: {before}")
"""
REFUSES = """\
import sys
sys.stderr.write("There is no key for what is stored.\\nMake one.\\n")
sys.exit(1)
"""


def test_preparations_come_by_name_each_once():
    found = [EntryPoint(name, value, GROUP) for name, value in (("b", "two"), ("a", "one"), ("a", "one"))]

    assert installed_preparations(found) == [Preparation("a", "one"), Preparation("b", "two")]


def test_a_preparation_runs_before_the_server_and_is_told_what_is_there(stage):
    stage.add("some-worker")
    (stage.folder / "prepares.py").write_text(TELLS)

    for database in ("none", str(stage.data_dir / "temporal.db")):
        up = stage.up(preparations=[["some-ring", "prepares"]])
        up.until_ready()
        assert up.end(signal.SIGTERM) == 0
        said, starting = up.printed.index("prepared "), up.printed.index("starting Temporal")
        assert said < starting
        assert f"prepared {stage.data_dir}, server database: {database}" in " ".join(up.printed.split())
        (stage.data_dir / "temporal.db").touch()


def test_one_that_refuses_stops_up_before_anything_else_is_started(stage):
    stage.add("some-worker")
    (stage.folder / "refuses.py").write_text(REFUSES)

    up = stage.up(preparations=[["some-ring", "refuses"]])

    assert up.end() == 1
    assert "error: There is no key for what is stored. Make one." in up.printed
    assert stage.notes() == []
