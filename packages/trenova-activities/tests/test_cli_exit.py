"""How commands that need a server end."""

import pytest
import typer

from trenova_activities._cli_start import run
from trenova_errors import ConfigurationError, UnavailableError


@pytest.mark.parametrize(("error", "status"), [(ConfigurationError, 2), (UnavailableError, 1)])
def test_what_the_configuration_lacks_ends_with_2_and_all_else_with_1(error, status, capsys):
    async def work():
        raise error("It is not there.")

    with pytest.raises(typer.Exit) as ended:
        run(work())
    assert ended.value.exit_code == status
    assert capsys.readouterr().err == "It is not there.\n"
