import json

import pytest
from typer.testing import CliRunner

from trenova_workers._cli_workers import workers_app

COUNTS = "second,tasks\n" + "".join(f"{second},20\n" for second in range(600))


@pytest.fixture
def recorded(tmp_path):
    path = tmp_path / "monday.csv"
    path.write_text(COUNTS)
    return path


def simulate(*arguments):
    return CliRunner().invoke(workers_app(), ["simulate", *map(str, arguments)])


def test_a_recorded_load_is_compared_in_a_table(recorded):
    result = simulate("--trace", recorded, "--why")

    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[:2] == ["monday", "  10 min, 12000 tasks, 1 to 10 workers, 95 of 100 tasks within 30 s"]
    assert lines[2].split()[:4] == ["law", "p50", "p95", "max"]
    assert [line.split()[0] for line in lines[3:9]] == ["ours", "keda", "rate", "fixed-mean", "fixed-peak", "oracle"]
    assert "  00:00:10  Up from 1 to 5: " in result.stdout


def test_the_same_input_has_the_same_output(recorded):
    assert simulate("--trace", recorded).stdout == simulate("--trace", recorded).stdout


def test_programs_get_one_object_for_each_law(recorded):
    result = simulate("--trace", recorded, "--json")

    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert {one["law"]: one["held"] for one in told}["ours"] is True
    assert told[-1]["law"] == "oracle"
    assert told[-1]["timesOracle"] == 1


def test_a_policy_of_a_file_is_tried_and_one_that_misses_the_target_ends_with_1(recorded, tmp_path):
    policy = tmp_path / "policy.yaml"
    policy.write_text("max_workers: 2\n")

    result = simulate("--trace", recorded, "--policy", policy)

    assert result.exit_code == 1
    assert "1 to 2 workers" in result.stdout


def test_a_picture_is_drawn(recorded, tmp_path):
    path = tmp_path / "monday.png"

    result = simulate("--trace", recorded, "--trace", "burst", "--plot", path)

    assert result.exit_code == 0, result.output
    assert path.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert path.stat().st_size > 20_000


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--trace", "tuesday"], "'tuesday' is no file and none of the eight: constant, step"),
        (["--trace", "tuesday.csv"], "'tuesday.csv' does not exist. Correct the path."),
        (["--trace", "constant", "--policy", "none.yaml"], "'none.yaml' does not exist"),
    ],
)
def test_what_cannot_be_read_ends_with_2(arguments, said):
    result = simulate(*arguments)

    assert result.exit_code == 2
    assert said in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        (
            "policy.yaml",
            "min_workers: 1\nmax_workers: 4",
            "it has min_workers, max_workers, and no 'arrivals'",
        ),
        ("readme.md", "# A title\n", "is no trace: it has nothing, and no 'arrivals'"),
        ("notes.txt", "some words", "holds a str"),
        ("monday.json", "{", "not YAML"),
    ],
)
def test_a_file_that_is_no_trace_is_told_what_one_is(tmp_path, name, content, said):
    file = tmp_path / name
    file.write_text(content)
    result = simulate("--trace", file)

    assert result.exit_code == 2
    assert said in result.stderr
    assert "A trace is a CSV file with the columns second,tasks, or JSON or YAML with 'arrivals'" in result.stderr


def test_a_trace_that_is_too_short_says_how_long_it_has_to_be(tmp_path):
    file = tmp_path / "short.csv"
    file.write_text("second,tasks\n0,5\n10,3\n")
    result = simulate("--trace", file)

    assert result.exit_code == 2
    assert "'arrivals' is '11 s': a trace takes 60 s at least and a week at most. Go on with 0; in CSV" in result.stderr


def test_a_picture_that_cannot_be_written_ends_with_2(recorded, tmp_path):
    result = simulate("--trace", recorded, "--plot", tmp_path / "none" / "monday.png")

    assert result.exit_code == 2
    assert "No such file or directory. Correct the path." in result.stderr
