import pytest

from trenova_activities.testing import CURRENT_TENANTS, install_current_tms


def test_both_tenants_have_the_shipment_that_the_docs_promise(current_tms_url, postgres_server):
    for tenant in CURRENT_TENANTS:
        counts = postgres_server.execute(
            f"""SELECT (SELECT count(*) FROM shipment_moves WHERE shipment_id = '{tenant.shipment_id}'),
            (SELECT min(n) || '-' || max(n) FROM (SELECT count(*) n FROM stops JOIN shipment_moves m
                ON m.id = shipment_move_id WHERE shipment_id = '{tenant.shipment_id}' GROUP BY m.id) s),
            (SELECT count(*) FROM shipment_commodities WHERE shipment_id = '{tenant.shipment_id}'),
            (SELECT count(*) FROM additional_charges WHERE shipment_id = '{tenant.shipment_id}'),
            (SELECT count(*) FROM assignments WHERE organization_id = '{tenant.organization_id}')""",
            database=current_tms_url,
        )
        assert counts == "2|3-3|2|2|3"


@pytest.mark.parametrize("statement", ["UPDATE audit_entries SET comment = 'x'", "DELETE FROM audit_entries"])
def test_its_audit_log_refuses_changes(current_tms_url, postgres_server, statement):
    with pytest.raises(RuntimeError, match="audit_entries is append-only"):
        postgres_server.execute(statement, database=current_tms_url)


def test_its_triggers_keep_updated_at(current_tms_url, postgres_server):
    postgres_server.execute("UPDATE shipments SET bol = 'NEW', updated_at = 1", database=current_tms_url)

    assert (
        postgres_server.execute("SELECT min(updated_at) > 1735700000 FROM shipments", database=current_tms_url) == "t"
    )


def test_its_search_vectors_are_generated(current_tms_url, postgres_server):
    with pytest.raises(RuntimeError, match="can only be updated to DEFAULT"):
        postgres_server.execute("UPDATE shipments SET search_vector = ''", database=current_tms_url)


@pytest.mark.parametrize(
    ("principal", "refused"),
    [
        ("'usr_north', 'session_user', 'usr_north', NULL", False),
        ("'usr_north', 'session_user', 'usr_other', NULL", True),
        ("NULL, 'session_user', 'usr_north', NULL", True),
        ("NULL, 'api_key', 'key_1', 'key_1'", False),
        ("NULL, 'api_key', 'key_1', NULL", True),
        ("NULL, 'system', 'system', NULL", False),
        ("'usr_north', 'system', 'system', NULL", True),
    ],
)
def test_its_log_knows_three_kinds_of_principals(current_tms_url, postgres_server, principal, refused):
    sql = (
        "INSERT INTO audit_entries (user_id, principal_type, principal_id, api_key_id, id, organization_id, "
        f"business_unit_id, resource, resource_id, operation) VALUES ({principal}, 'ae_try', 'org_north', 'bu_north', "
        "'shipment', 'shp_north', 'create')"
    )
    if refused:
        with pytest.raises(RuntimeError, match="audit_entries_principal"):
            postgres_server.execute(sql, database=current_tms_url)
    else:
        postgres_server.execute(sql, database=current_tms_url)


def test_it_is_installed_once_only(current_tms_url):
    with pytest.raises(Exception, match="already exists"):
        install_current_tms(current_tms_url)


async def test_it_can_be_installed_from_a_running_loop(postgres_server):
    url = postgres_server.create_database()

    assert install_current_tms(url) == CURRENT_TENANTS
