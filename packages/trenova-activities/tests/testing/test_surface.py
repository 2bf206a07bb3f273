from trenova_activities import testing
from trenova_activities.testing import fixtures


def test_the_public_names_are_these():
    assert testing.__all__ == ["CURRENT_TENANTS", "CurrentTenant", "PostgresServer", "install_current_tms"]


def test_the_fixtures_are_these():
    names = {name for name, value in vars(fixtures).items() if type(value).__name__ == "FixtureFunctionDefinition"}

    assert names == {
        "current_tms_template",
        "current_tms_url",
        "embedded_postgres_template",
        "embedded_postgres_url",
        "embedded_sqlite_template",
        "embedded_sqlite_url",
        "empty_postgres_url",
        "postgres_server",
        "tms_url",
    }
