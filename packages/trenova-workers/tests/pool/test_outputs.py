import os
import time

from trenova_workers.pool.processes._output import Outputs


def test_the_last_line_is_told_only_if_it_was_written_about_when_its_worker_ended(tmp_path):
    outputs = Outputs(tmp_path / "outputs", 1)
    file = outputs.prepare("w1")
    file.write_text("could not look around\n")
    assert outputs.last_line("w1") == "could not look around"
    ago = time.time() - 240
    os.utime(file, (ago, ago))
    assert outputs.last_line("w1") == ""
