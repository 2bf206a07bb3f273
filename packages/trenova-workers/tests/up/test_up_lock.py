import os

import pytest

from trenova_workers._up._lock import lock_folder, lock_server, private_folder
from trenova_workers._up._options import UpError


def mode(folder):
    return folder.stat().st_mode & 0o777


def test_a_new_folder_is_private(tmp_path):
    assert mode(private_folder(tmp_path / "a" / "b")) == 0o700


@pytest.mark.parametrize("ours", [".trenova", "empty", "used"])
def test_a_folder_of_ours_becomes_private(tmp_path, ours):
    folder = tmp_path / ours
    folder.mkdir()
    if ours != "empty":
        (folder / "up.lock").touch()
    folder.chmod(0o755)

    assert mode(private_folder(folder)) == 0o700


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    tmp_path.chmod(0o755)
    (tmp_path / "thesis.tex").touch()

    with pytest.raises(UpError, match="open to other users and holds files that are not of this command"):
        private_folder(tmp_path)
    assert mode(tmp_path) == 0o755


def test_a_private_folder_of_other_things_may_be_used(tmp_path):
    tmp_path.chmod(0o700)
    (tmp_path / "thesis.tex").touch()

    assert private_folder(tmp_path) == tmp_path


def test_a_file_is_no_folder(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(UpError, match="cannot be used: File exists"):
        private_folder(tmp_path / "file")


def test_a_folder_is_locked_until_it_is_let_go(tmp_path):
    with lock_folder(tmp_path), pytest.raises(UpError, match=rf"\(pid {os.getpid()}\)"):
        lock_folder(tmp_path)

    lock_folder(tmp_path).close()


async def test_a_server_that_stays_is_refused_by_its_pid(tmp_path):
    waits = []
    with await lock_server(tmp_path, 1, waits.append) as lock:
        lock.write_owner(4711)

        with pytest.raises(UpError, match=r"earlier `up` \(pid 4711\) still runs"):
            await lock_server(tmp_path, 0.2, waits.append)

    assert waits == ["4711"]
