import typer
from typer.testing import CliRunner

from trenova_workers._up.command import up

app = typer.Typer()
app.command()(up)


def test_keep_without_demo_is_refused():
    result = CliRunner().invoke(app, ["--keep"])

    assert result.exit_code == 2
    assert "give both, or neither" in " ".join(result.output.replace("│", " ").split())


def test_a_worker_that_is_not_installed_is_refused_before_anything_is_made(tmp_path):
    result = CliRunner().invoke(app, ["--only", "no-such-worker", "--data-dir", str(tmp_path / "data")])

    assert result.exit_code == 1
    assert "error: No worker" in result.output
    assert not (tmp_path / "data").exists()


def test_a_port_that_is_none_is_refused():
    assert CliRunner().invoke(app, ["--port", "70000"]).exit_code == 2


def test_help_names_every_option():
    output = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output

    for option in (
        "--data-dir",
        "--port",
        "--ui-port",
        "--only",
        "--console-port",
        "--no-consoles",
        "--demo",
        "--keep",
    ):
        assert option in output
