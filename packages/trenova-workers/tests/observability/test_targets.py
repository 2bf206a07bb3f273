import json
import subprocess
import sys

import pytest

from trenova_errors import ConfigurationError
from trenova_workers import Identity, MetricsOptions
from trenova_workers._observability._targets import announced

URL = "http://127.0.0.1:41234/metrics"
HELD = """
import sys, time
from pathlib import Path
from trenova_workers import Identity
from trenova_workers._observability._targets import announced
with announced(Path(sys.argv[1]), "http://127.0.0.1:41235/metrics", Identity.of_this_process("other")):
    print("told", flush=True)
    time.sleep(60)
"""


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_process_is_found_for_as_long_as_it_runs(tmp_path):
    identity = Identity(service="sample-worker", host="dock-1", pid=4711, instance="abcdef01")
    with announced(tmp_path / "targets", URL, identity):
        [path] = (tmp_path / "targets").iterdir()
        told = json.loads(path.read_text())
    assert path.name == "sample-worker-4711-abcdef01.json"
    assert told == [{"targets": ["127.0.0.1:41234"], "labels": {"service": "sample-worker", "host": "dock-1"}}]
    assert files(tmp_path / "targets") == []


def test_one_that_answers_everywhere_is_found_by_its_host(tmp_path):
    identity = Identity(service="sample-worker", host="dock-1", pid=4711, instance="abcdef01")
    with announced(tmp_path, "http://0.0.0.0:9464/metrics", identity):
        [path] = tmp_path.iterdir()
        assert json.loads(path.read_text())[0]["targets"] == ["dock-1:9464"]


def test_what_a_killed_process_left_is_removed_by_the_next_of_its_service_and_what_a_living_one_has_stays(tmp_path):
    others = [
        subprocess.Popen([sys.executable, "-c", HELD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    killed, living = others
    try:
        assert [other.stdout.readline() for other in others] == ["told\n", "told\n"]
        killed.kill()
        killed.wait()
        assert len(files(tmp_path)) == 2

        for service in ("sample-worker", "oth"):
            with announced(tmp_path, URL, Identity.of_this_process(service)):
                assert len(files(tmp_path)) == 3, "no other service takes the place of one that was killed"
        with announced(tmp_path, URL, Identity.of_this_process("other")):
            left = files(tmp_path)
    finally:
        for other in others:
            other.kill()
            other.wait()
            other.stdout.close()
    assert len(left) == 2
    assert any(f"-{living.pid}-" in name for name in left)
    assert not any(f"-{killed.pid}-" in name for name in left)


def test_without_a_folder_or_an_address_nothing_is_written(tmp_path):
    identity = Identity.of_this_process("sample-worker")
    with announced(None, URL, identity), announced(tmp_path / "targets", None, identity):
        assert files(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_told_with_the_key_to_change(tmp_path):
    (tmp_path / "file").write_text("")
    wanted = announced(tmp_path / "file" / "below", URL, Identity.of_this_process("sample-worker"))
    with pytest.raises(ConfigurationError, match=r"worker\.metrics\.targets_dir"), wanted:
        pass


def test_a_folder_without_scrapes_is_refused():
    with pytest.raises(ValueError, match="targets_dir"):
        MetricsOptions(targets_dir="targets")
