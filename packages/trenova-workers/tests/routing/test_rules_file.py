import logging
import os

import pytest

from trenova_workers.routing import Router, RulesFile, StartRequest


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


def write(path, queue):
    fresh = path.with_suffix(".new")
    fresh.write_text(f"default: {{queue: {queue}}}" if queue else "default: {queue: 3, qeue: x}")
    fresh.replace(path)


@pytest.fixture
def watched(tmp_path):
    path, clock = tmp_path / "routing.yaml", Clock()
    write(path, "old")
    source = RulesFile(path, every_s=2, clock=clock)
    router = Router(source.rules, source=source)

    def queue(*, after_s=3):
        clock.now += after_s
        return router.route(StartRequest("X", "asked")).queue

    return path, queue


def test_a_changed_file_is_in_force_after_the_next_look(watched):
    path, queue = watched
    assert queue() == "old"
    write(path, "new")
    assert queue(after_s=1) == "old"
    assert queue(after_s=1) == "new"


def test_a_bad_file_keeps_the_old_rules_and_says_so_once(watched, caplog):
    path, queue = watched
    write(path, None)
    with caplog.at_level(logging.WARNING):
        assert [queue(), queue(), queue()] == ["old", "old", "old"]

    [line] = caplog.records
    assert "the old ones stay in force" in line.message
    assert f"new routing rules in {path} are refused" in line.message
    assert "'default.queue' is 3: " in line.message
    assert " / 'default.qeue' is 'x': this key is not known. Did you mean 'queue'?" in line.message
    assert str(path) == line.file
    assert "'default.qeue' is 'x': this key is not known. Did you mean 'queue'?" in line.reason
    write(path, "repaired")
    assert queue() == "repaired"


def test_a_file_that_is_gone_keeps_the_old_rules_and_may_return(watched, caplog):
    path, queue = watched
    path.unlink()
    assert [queue(), queue()] == ["old", "old"]
    assert len([one for one in caplog.records if one.levelno == logging.WARNING]) == 1
    write(path, "back")
    assert queue() == "back"


def test_a_link_that_is_pointed_elsewhere_is_noticed(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).write_text(f"default: {{queue: {name}}}")
        os.utime(tmp_path / name, (1, 1))
    link = tmp_path / "routing.yaml"
    link.symlink_to(tmp_path / "one")
    source = RulesFile(link)
    (tmp_path / "next").symlink_to(tmp_path / "two")
    (tmp_path / "next").replace(link)

    assert source.read_again().default.queue == "two"
    assert source.read_again() is None
