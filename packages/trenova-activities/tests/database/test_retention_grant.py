import asyncio
import re
from collections.abc import AsyncIterator, Sequence

import pytest
from sqlalchemy import text

from trenova_activities.database import Database, DatabaseOptions
from trenova_activities.database._append_only import RETENTION_ROLE, refusing_triggers
from trenova_activities.database._retention_function import SIGNATURE
from trenova_activities.database._retention_grant import (
    allow_by_default,
    allow_retention,
    retention_sql,
    revoke_retention,
)
from trenova_activities.database._retention_way import Way, find_way
from trenova_errors import ApplicationError, ConfigurationError

pytestmark = pytest.mark.integration

TENANT = ("org_north", "bu_north")
OLD = 1_735_600_050  # the first of north's three entries is older
PURGE = "SELECT entry_id FROM trenova_jobs.purge_audit_entries('{}', '{}', -1, '', {}, {})"


async def execute(database: Database, *statements: str) -> None:
    async with database.write() as connection:
        for statement in statements:
            await connection.exec_driver_sql(statement)


async def values(database: Database, statement: str) -> list[str]:
    async with database.write() as connection:
        return list((await connection.execute(text(statement))).scalars())


async def purge(
    database: Database, tenant: Sequence[str] = TENANT, *, limit: int = 100, before: int = OLD
) -> list[str]:
    return await values(database, PURGE.format(*tenant, limit, before))


async def entries(database: Database) -> set[str]:
    return set(await values(database, "SELECT id FROM audit_entries"))


async def triggers(database: Database) -> dict[str, str]:
    query = (
        "SELECT name || '|' || sql FROM sqlite_master WHERE type = 'trigger'"
        if database.options.is_sqlite
        else "SELECT tgname || '|' || pg_get_triggerdef(oid) || tgenabled::text || coalesce(obj_description(oid), '') "
        "FROM pg_trigger WHERE NOT tgisinternal"
    )
    return dict(row.split("|", 1) for row in await values(database, query))


async def way(database: Database) -> Way:
    async with database.read() as connection:
        return await find_way(database, connection)


@pytest.fixture
async def worker(foreign, current_tms_url, postgres_server) -> AsyncIterator[Database]:
    """A login that may read the log, with retention allowed to it."""
    grants = (
        "CREATE ROLE system_worker LOGIN",
        "CREATE ROLE bystander LOGIN",
        "GRANT USAGE ON SCHEMA public, trenova_jobs TO system_worker, bystander",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public, trenova_jobs TO system_worker, bystander",
        "GRANT DELETE ON audit_entries TO bystander",
    )
    for grant in grants:
        postgres_server.execute(grant, database=current_tms_url)
    await allow_retention(foreign, role="system_worker")
    try:
        async with as_user(current_tms_url, "system_worker") as database:
            yield database
    finally:
        postgres_server.execute("DROP OWNED BY system_worker, bystander", database=current_tms_url)
        postgres_server.execute("DROP ROLE system_worker, bystander")


def as_user(url: str, name: str):
    return Database.open(DatabaseOptions(url=url.replace("postgres@", f"{name}@")))


async def test_an_append_only_log_is_met_with_the_command_that_lets_retention_through(embedded):
    with pytest.raises(ConfigurationError, match=r"append-only: the trigger 'audit_entries_.*db allow-retention"):
        await way(embedded)


async def test_allowing_twice_changes_nothing_the_second_time(embedded):
    first, shown = await retention_sql(embedded), await retention_sql(embedded)

    assert first == shown
    assert await allow_retention(embedded) == first
    assert await allow_retention(embedded) == []
    assert await retention_sql(embedded) == []
    assert await way(embedded) is (Way.PERMIT if embedded.options.is_sqlite else Way.FUNCTION)


async def test_revoking_puts_every_trigger_back_as_it_was(embedded):
    before = await triggers(embedded)
    await allow_retention(embedded)
    assert await triggers(embedded) != before

    shown = await retention_sql(embedded, revoke=True)
    assert await revoke_retention(embedded) == shown
    assert await triggers(embedded) == before
    assert await revoke_retention(embedded) == []
    with pytest.raises(ConfigurationError, match="append-only"):
        await way(embedded)
    await allow_retention(embedded)


async def test_the_embedded_log_is_opened_by_default_until_an_operator_closes_it(embedded):
    opened, again = await allow_by_default(embedded), await allow_by_default(embedded)
    assert opened == "The audit log of the embedded TMS lets retention through now."
    assert again == ""
    await way(embedded)

    await revoke_retention(embedded)
    for _ in range(2):
        said = await allow_by_default(embedded)
        assert re.fullmatch(
            r"The audit log stays closed to retention: .* on 2\d{3}-.* UTC\. .*allow-retention'.*", said
        )
        with pytest.raises(ConfigurationError, match="append-only"):
            await way(embedded)

    await allow_retention(embedded)
    assert await allow_by_default(embedded) == ""
    await way(embedded)


async def test_an_embedded_log_that_was_never_open_is_kept_closed_by_a_revocation(embedded):
    assert len(await revoke_retention(embedded)) == 1
    assert await revoke_retention(embedded) == []
    assert "stays closed" in await allow_by_default(embedded)


async def test_nothing_is_opened_by_default_in_a_tms_that_is_not_ours(foreign):
    assert await allow_by_default(foreign) == ""
    assert await revoke_retention(foreign) == []
    with pytest.raises(ConfigurationError, match="append-only"):
        await way(foreign)


async def test_a_database_without_our_tables_is_sent_to_migrate(empty):
    with pytest.raises(ConfigurationError, match=r"is missing.*db migrate"):
        await allow_retention(empty)


async def test_only_the_named_role_deletes_and_only_through_the_function(worker, foreign, current_tms_url):
    before = await entries(foreign)
    async with as_user(current_tms_url, "bystander") as bystander:
        with pytest.raises(ConfigurationError):
            await purge(bystander)
        with pytest.raises(ApplicationError):
            await execute(bystander, "DELETE FROM audit_entries")
    with pytest.raises(ConfigurationError):
        await execute(worker, "DELETE FROM audit_entries")
    with pytest.raises(ConfigurationError):
        await execute(worker, f"SET ROLE {RETENTION_ROLE}")
    for statement in ("DELETE FROM audit_entries", "UPDATE audit_entries SET comment = 'x'"):
        with pytest.raises(ApplicationError):
            await execute(foreign, statement)  # a superuser
    assert await entries(foreign) == before

    assert await purge(worker) == ["ae_north_user"]
    assert await entries(foreign) == before - {"ae_north_user"}


async def test_a_later_role_takes_the_place_of_an_earlier_one_and_no_role_adds_the_user(
    worker, foreign, current_tms_url
):
    async def callers() -> set[str]:
        return set(
            await values(
                foreign,
                "SELECT a.grantee::regrole::text FROM pg_proc p, aclexplode(p.proacl) a "
                f"WHERE p.oid = '{SIGNATURE}'::regprocedure AND a.grantee <> p.proowner",
            )
        )

    await execute(foreign, f"GRANT EXECUTE ON FUNCTION {SIGNATURE} TO bystander WITH GRANT OPTION")
    assert await callers() == {"system_worker", "bystander"}

    shown = await retention_sql(foreign, role="system_worker")
    assert f"REVOKE ALL ON FUNCTION {SIGNATURE} FROM bystander CASCADE" in shown
    assert await allow_retention(foreign, role="system_worker") == shown
    assert await callers() == {"system_worker"}
    assert await allow_retention(foreign, role="system_worker") == []

    await allow_retention(foreign)
    assert await callers() == {"system_worker", "postgres"}
    await allow_retention(foreign, role="system_worker")
    assert await callers() == {"system_worker"}


async def test_the_retention_role_may_neither_change_nor_log_in(worker, foreign):
    with pytest.raises(ConfigurationError):
        await execute(foreign, f"SET ROLE {RETENTION_ROLE}", "UPDATE audit_entries SET comment = 'x'")
    assert await values(foreign, f"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{RETENTION_ROLE}'") == [False]
    members = "SELECT count(*) FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid WHERE r.rolname = '{}'"
    assert await values(foreign, members.format(RETENTION_ROLE)) == [0]


async def test_an_entry_of_another_tenant_is_out_of_reach(worker, foreign):
    before = await entries(foreign)

    for tenant in (("org_north", "bu_south"), ("org_south", "bu_north"), ("org_nobody", "bu_north"), ("", "")):
        assert await purge(worker, tenant, before=10**10) == []
    assert await entries(foreign) == before


async def test_the_cutoff_of_the_caller_can_only_spare_more(worker, foreign):
    now = (await values(foreign, "SELECT floor(extract(epoch FROM clock_timestamp()))::bigint"))[0]
    await execute(
        foreign,
        "INSERT INTO audit_entries (id, organization_id, business_unit_id, principal_type, principal_id, resource, "
        f"resource_id, operation, timestamp) SELECT 'ae_age_' || age, 'org_north', 'bu_north', 'system', 'system', "
        f"'shipment', 'shp_north', 'update', {now} - 86400 * 120 - age FROM unnest(ARRAY[-60, 5]) age",
    )

    gone = await purge(worker, before=10**15)
    assert set(gone) == {"ae_north_user", "ae_north_key", "ae_north_system", "ae_age_5"}
    await execute(foreign, "UPDATE data_retention SET audit_retention_period = 1 WHERE organization_id = 'org_north'")
    await execute(
        foreign,
        "INSERT INTO audit_entries (id, organization_id, business_unit_id, principal_type, principal_id, resource, "
        f"resource_id, operation, timestamp) VALUES ('ae_fresh', 'org_north', 'bu_north', 'system', 'system', "
        f"'shipment', 'shp_north', 'update', {now} - 86300)",
    )
    assert await purge(worker, before=10**15) == ["ae_age_-60"]


@pytest.mark.parametrize("period", ["0", "-1", "-2147483648"])
async def test_a_period_that_is_none_deletes_nothing(worker, foreign, period):
    await execute(foreign, f"UPDATE data_retention SET audit_retention_period = {period}")

    assert await purge(worker, before=10**10) == []


async def test_an_organization_without_a_row_or_with_an_empty_period_is_not_purged(worker, foreign):
    await execute(
        foreign,
        "ALTER TABLE data_retention ALTER audit_retention_period DROP NOT NULL",
        "UPDATE data_retention SET audit_retention_period = NULL WHERE organization_id = 'org_north'",
        "DELETE FROM data_retention WHERE organization_id = 'org_south'",
    )

    assert await purge(worker) == []
    assert await purge(worker, ("org_south", "bu_south")) == []


async def test_absent_arguments_delete_nothing(worker):
    for arguments in ("NULL, 'bu_north', -1, '', 9, 9999999999", "'org_north', 'bu_north', -1, '', 9, NULL"):
        assert await values(worker, f"SELECT entry_id FROM trenova_jobs.purge_audit_entries({arguments})") == []


@pytest.mark.parametrize(
    ("hold", "spared"),
    [
        ("NULL, NULL, 0, NULL", {"ae_north_user", "ae_north_key", "ae_north_system"}),
        ("'shipment', 'shp_north', 1735600100, 1735600100", {"ae_north_key"}),
        ("'shipment', NULL, 1735600100, NULL", {"ae_north_key", "ae_north_system"}),
        ("'customer', NULL, 0, NULL", set()),
        ("'shipment', 'shp_other', 0, NULL", set()),
    ],
)
async def test_what_a_legal_hold_covers_stays(worker, foreign, hold, spared):
    await execute(
        foreign,
        "INSERT INTO trenova_jobs.legal_holds (id, organization_id, business_unit_id, resource, resource_id, from_at, "
        f"until_at, reason, created_at) VALUES ('hold_1', 'org_north', 'bu_north', {hold}, 'lawsuit', 1)",
    )

    gone = set(await purge(worker, before=10**10))
    assert {"ae_north_user", "ae_north_key", "ae_north_system"} - gone == spared
    await execute(foreign, "UPDATE trenova_jobs.legal_holds SET released_at = 2")
    assert set(await purge(worker, before=10**10)) == spared


async def test_a_hold_of_another_tenant_holds_nothing_here(worker, foreign):
    await execute(
        foreign,
        "INSERT INTO trenova_jobs.legal_holds (id, organization_id, business_unit_id, from_at, reason, created_at) "
        "VALUES ('hold_1', 'org_north', 'bu_south', 0, 'lawsuit', 1)",
    )

    assert len(await purge(worker, before=10**10)) == 3


async def test_a_hostile_search_path_changes_nothing(worker, foreign, current_tms_url):
    async with worker.write() as connection:
        for statement in (
            (
                "CREATE TEMP TABLE data_retention AS SELECT 'org_south' AS organization_id, "
                "'bu_south' AS business_unit_id, 1 AS audit_retention_period"
            ),
            "CREATE TEMP TABLE audit_entries (LIKE public.audit_entries)",
            "CREATE TEMP TABLE legal_holds (LIKE trenova_jobs.legal_holds)",
            "CREATE FUNCTION pg_temp.clock_timestamp() RETURNS timestamptz RETURN timestamptz 'infinity'",
            "CREATE FUNCTION pg_temp.least_of(bigint, bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$",
            "CREATE OPERATOR pg_temp.< (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = pg_temp.least_of)",
            "SET LOCAL search_path = pg_temp, public, pg_catalog",
        ):
            await connection.exec_driver_sql(statement)
        gone = (await connection.execute(text(PURGE.format(*TENANT, 100, OLD)))).scalars().all()
    assert gone == ["ae_north_user"]


async def test_callers_at_once_share_the_work_and_nobody_takes_what_another_took(worker, foreign):
    await execute(
        foreign,
        "INSERT INTO audit_entries (id, organization_id, business_unit_id, principal_type, principal_id, resource, "
        "resource_id, operation, timestamp) SELECT 'ae_many_' || n, 'org_north', 'bu_north', 'system', 'system', "
        "'shipment', 'shp_north', 'update', 1000 + n / 7 FROM generate_series(1, 400) n",
    )
    turns = await asyncio.gather(*(purge(worker, limit=25, before=2000) for _ in range(20)))

    gone = [entry for turn in turns for entry in turn]
    assert [len(turn) for turn in turns] == [25] * 16 + [0] * 4 or sorted(map(len, turns)) == [0] * 4 + [25] * 16
    assert len(gone) == len(set(gone)) == 400


async def test_the_limit_of_a_call_is_bounded(worker, foreign):
    assert await purge(worker, limit=-5, before=10**10) == []
    assert await purge(worker, limit=2, before=10**10) == ["ae_north_user", "ae_north_key"]


async def test_triggers_of_any_name_and_shape_are_opened_and_restored(foreign):
    await execute(
        foreign,
        "DROP TRIGGER audit_entries_append_only ON audit_entries",
        "CREATE SCHEMA guard",
        'CREATE FUNCTION guard."Never ever"() RETURNS trigger LANGUAGE plpgsql AS '
        "$$ BEGIN RAISE SQLSTATE 'AUD01' USING MESSAGE = 'we DELETE nothing'; END $$",
        "CREATE FUNCTION guard.archive() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO guard.archived VALUES (OLD.id); IF OLD.id IS NULL THEN RAISE EXCEPTION 'no'; END IF; "
        "RETURN OLD; END $$",
        "CREATE TABLE guard.archived (id text)",
        'CREATE TRIGGER "Don\'t, WHEN (ever)" BEFORE DELETE ON audit_entries FOR EACH ROW '
        "WHEN (OLD.critical OR OLD.comment IS DISTINCT FROM 'it''s EXECUTE FUNCTION f()') "
        "EXECUTE FUNCTION guard.\"Never ever\"('a ''quoted'' EXECUTE FUNCTION argument')",
        "COMMENT ON TRIGGER \"Don't, WHEN (ever)\" ON audit_entries IS 'kept'",
        "CREATE TRIGGER by_statement BEFORE UPDATE OR DELETE ON audit_entries "
        'FOR EACH STATEMENT EXECUTE FUNCTION guard."Never ever"()',
        "CREATE TRIGGER always AFTER DELETE ON audit_entries REFERENCING OLD TABLE AS gone "
        'FOR EACH STATEMENT EXECUTE FUNCTION guard."Never ever"()',
        "ALTER TABLE audit_entries ENABLE ALWAYS TRIGGER always",
        'CREATE TRIGGER off BEFORE DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION guard."Never ever"()',
        "ALTER TABLE audit_entries DISABLE TRIGGER off",
        "CREATE TRIGGER archive BEFORE DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION guard.archive()",
        "GRANT USAGE ON SCHEMA guard TO PUBLIC",
        "GRANT INSERT ON guard.archived TO PUBLIC",
    )
    before = await triggers(foreign)
    await allow_retention(foreign)
    after = await triggers(foreign)

    assert {name for name in before if before[name] != after[name]} == {"Don't, WHEN (ever)", "by_statement", "always"}
    assert await purge(foreign) == ["ae_north_user"]
    assert await values(foreign, "SELECT id FROM guard.archived") == ["ae_north_user"]
    with pytest.raises(ApplicationError):
        await execute(foreign, "DELETE FROM audit_entries")
    await revoke_retention(foreign)
    assert await triggers(foreign) == before


async def test_a_trigger_that_a_release_puts_back_is_noticed_and_opened_again(foreign):
    before = await triggers(foreign)
    await allow_retention(foreign)
    await execute(foreign, f"CREATE OR REPLACE {before['audit_entries_append_only'][7:-1]}")

    with pytest.raises(ConfigurationError, match="append-only"):
        await way(foreign)
    assert await allow_retention(foreign) != []
    assert await purge(foreign) == ["ae_north_user"]
    await revoke_retention(foreign)
    assert await triggers(foreign) == before


async def test_a_trigger_changed_by_somebody_else_is_not_overwritten(foreign):
    await allow_retention(foreign)
    await execute(
        foreign,
        "CREATE OR REPLACE TRIGGER audit_entries_append_only BEFORE DELETE ON audit_entries FOR EACH ROW "
        f"WHEN (current_user <> '{RETENTION_ROLE}') EXECUTE FUNCTION audit_entries_append_only()",
    )
    before = await triggers(foreign)

    with pytest.raises(ConfigurationError, match=r"Restore it by hand. It was: CREATE TRIGGER"):
        await revoke_retention(foreign)
    assert await triggers(foreign) == before


async def test_constraint_triggers_and_row_security_are_refused_with_nothing_changed(foreign):
    await execute(
        foreign,
        "CREATE CONSTRAINT TRIGGER late AFTER DELETE ON audit_entries FOR EACH ROW "
        "EXECUTE FUNCTION audit_entries_append_only()",
    )
    before = await triggers(foreign)
    with pytest.raises(ConfigurationError, match="The constraint trigger 'late'"):
        await allow_retention(foreign)
    await execute(foreign, "DROP TRIGGER late ON audit_entries", "ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY")
    before.pop("late")
    with pytest.raises(ConfigurationError, match="row-level security"):
        await allow_retention(foreign)
    assert await triggers(foreign) == before


async def test_privileges_given_by_default_do_not_let_others_call_it(foreign, postgres_server, current_tms_url):
    postgres_server.execute("CREATE ROLE somebody LOGIN")
    try:
        await execute(foreign, "ALTER DEFAULT PRIVILEGES IN SCHEMA trenova_jobs GRANT EXECUTE ON FUNCTIONS TO somebody")
        await allow_retention(foreign)
        for name in ("somebody", "public"):
            query = f"SELECT has_function_privilege('{name}', '{SIGNATURE}', 'EXECUTE')"
            assert await values(foreign, query) == [False]
    finally:
        postgres_server.execute("DROP OWNED BY somebody", database=current_tms_url)
        postgres_server.execute("DROP ROLE somebody")


async def test_a_database_owner_without_superuser_rights_allows_and_revokes(current_tms_url, postgres_server):
    postgres_server.execute("CREATE ROLE owner LOGIN CREATEROLE")
    name = current_tms_url.rpartition("/")[2]
    script = (
        f"DO $$ BEGIN CREATE ROLE {RETENTION_ROLE}; EXCEPTION WHEN duplicate_object THEN NULL; END $$; "
        f"GRANT {RETENTION_ROLE} TO owner WITH ADMIN OPTION; "  # it would have it, had it created the role
        f"ALTER DATABASE {name} OWNER TO owner; ALTER SCHEMA trenova_jobs OWNER TO owner; "
        "ALTER SCHEMA public OWNER TO owner; DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT c.oid FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname IN ('public', 'trenova_jobs') AND relkind = 'r' "
        "LOOP EXECUTE format('ALTER TABLE %s OWNER TO owner', t); END LOOP; END $$"
    )
    postgres_server.execute(script, database=current_tms_url)
    try:
        async with as_user(current_tms_url, "owner") as database:
            before = await triggers(database)
            assert await allow_retention(database)
            assert await allow_retention(database) == []
            assert await way(database) is Way.FUNCTION
            assert await purge(database) == ["ae_north_user"]
            with pytest.raises(ApplicationError):
                await execute(database, "DELETE FROM audit_entries")
            assert await revoke_retention(database)
            assert await triggers(database) == before
    finally:
        postgres_server.execute("REASSIGN OWNED BY owner TO postgres; DROP OWNED BY owner", database=current_tms_url)
        postgres_server.execute("DROP ROLE owner")


async def test_a_user_who_may_not_is_told_who_may(worker, current_tms_url):
    async with as_user(current_tms_url, "bystander") as database:
        with pytest.raises(ConfigurationError, match=r"user bystander may not open .*audit_entries belongs to post"):
            await allow_retention(database, role="bystander")
        with pytest.raises(ConfigurationError, match=r"'bystander' may delete nothing .*--role bystander"):
            await way(database)


@pytest.mark.parametrize("role", ["nobody_at_all", RETENTION_ROLE, 'x"; DROP TABLE users; --'])
async def test_a_role_that_cannot_call_is_refused(foreign, role):
    with pytest.raises(ConfigurationError, match="There is no role"):
        await allow_retention(foreign, role=role)


async def test_a_log_that_refuses_nothing_is_deleted_from_plainly(foreign):
    await execute(foreign, "DROP TRIGGER audit_entries_append_only ON audit_entries")

    assert await way(foreign) is Way.PLAIN


async def test_the_sql_that_is_shown_does_the_same_when_somebody_else_runs_it(
    foreign, postgres_server, current_tms_url
):
    for revoke in (False, True):
        shown = await retention_sql(foreign, revoke=revoke)
        script = "".join(f"{statement};\n" for statement in ("BEGIN", *shown, "COMMIT"))
        postgres_server.execute(script, database=current_tms_url)
        assert await retention_sql(foreign, revoke=revoke) == []


async def test_revoking_in_one_database_leaves_the_way_through_another(foreign, postgres_server, current_tms_template):
    url = postgres_server.create_database(template=current_tms_template)
    async with Database.open(DatabaseOptions(url=url)) as neighbour:
        for database in (foreign, neighbour):
            await allow_retention(database)
        await revoke_retention(foreign)
        assert await purge(neighbour) == ["ae_north_user"]
        await revoke_retention(neighbour)
    postgres_server.drop_database(url)
    left = f"SELECT count(*) FROM pg_roles WHERE rolname = '{RETENTION_ROLE}'"
    if await values(foreign, left) == [1]:  # other databases of this server use it
        query = "SELECT count(*) FROM pg_shdepend WHERE refobjid = (SELECT oid FROM pg_roles WHERE rolname = '{}')"
        assert await values(foreign, query.format(RETENTION_ROLE)) != [0]


async def test_two_at_once_allow_once(foreign):
    done = await asyncio.gather(*(allow_retention(foreign) for _ in range(4)))

    assert sorted(map(bool, done)) == [False, False, False, True]


async def test_on_sqlite_a_permit_reaches_no_further_than_period_hold_and_tenant(embedded_sqlite_url):
    async with Database.open(DatabaseOptions(url=embedded_sqlite_url)) as database:
        await execute(
            database,
            "INSERT INTO business_units (id, name, code) VALUES ('bu_1', 'B', 'B')",
            "INSERT INTO organizations (id, business_unit_id, name, scac_code, timezone) "
            "VALUES ('org_1', 'bu_1', 'O', 'ORGA', 'UTC'), ('org_2', 'bu_1', 'P', 'ORGB', 'UTC')",
            "INSERT INTO data_retention (id, organization_id, business_unit_id, audit_retention_period) "
            "VALUES ('dr_1', 'org_1', 'bu_1', 30)",
            "INSERT INTO audit_entries (id, organization_id, business_unit_id, resource, resource_id, operation, "
            "timestamp) SELECT 'ae_' || org || age, 'org_' || org, 'bu_1', 'shipment', 'shp_1', 'create', "
            "strftime('%s', 'now') - 86400 * age FROM (SELECT 1 AS org UNION SELECT 2), "
            "(SELECT 29 AS age UNION SELECT 31 UNION SELECT 40)",
        )
        await allow_retention(database)
        permit = "INSERT INTO trenova_jobs_retention_permits VALUES ('org_1', 'bu_1', {})"
        month = "strftime('%s', 'now') - 86400 * 35"
        refused = (
            ("DELETE FROM audit_entries",),
            (permit.format(month), "DELETE FROM audit_entries WHERE id = 'ae_131'"),
            (permit.format(10**12), "DELETE FROM audit_entries WHERE id = 'ae_129'"),
            (permit.format(10**12), "DELETE FROM audit_entries WHERE id = 'ae_240'"),
            (permit.format(10**12), "UPDATE audit_entries SET comment = 'x' WHERE id = 'ae_140'"),
            (
                permit.format(10**12),
                "UPDATE data_retention SET audit_retention_period = 'soon'",
                "DELETE FROM audit_entries WHERE id = 'ae_140'",
            ),
            (
                permit.format(10**12),
                (
                    "INSERT INTO trenova_jobs_legal_holds (id, organization_id, business_unit_id, from_at, reason, "
                    "created_at) VALUES ('hold_1', 'org_1', 'bu_1', 0, 'lawsuit', 1)"
                ),
                "DELETE FROM audit_entries WHERE id = 'ae_140'",
            ),
        )
        for statements in refused:
            with pytest.raises(ApplicationError):
                await execute(database, *statements)
        assert len(await entries(database)) == 6

        await execute(database, permit.format(month), "DELETE FROM audit_entries WHERE id = 'ae_140'")
        assert len(await entries(database)) == 5


@pytest.mark.parametrize(
    "trigger",
    [
        (
            'CREATE TRIGGER "No, never" BEFORE DELETE ON audit_entries FOR EACH ROW WHEN OLD.critical IN (0, 1) '
            "BEGIN SELECT RAISE(FAIL, 'we DELETE nothing'); END"
        ),
        "CREATE TRIGGER [a b]\nAFTER DELETE ON \"audit_entries\"\nBEGIN SELECT RAISE(ROLLBACK, 'no'); END",
    ],
)
async def test_triggers_of_sqlite_of_any_form_are_opened_and_restored(embedded_sqlite_url, trigger):
    async with Database.open(DatabaseOptions(url=embedded_sqlite_url)) as database:
        await execute(database, "DROP TRIGGER audit_entries_no_delete", trigger)
        before = await triggers(database)
        async with database.read() as connection:
            [found] = await refusing_triggers(connection, "audit_entries")
        assert not found.lets_retention_through

        await allow_retention(database)
        assert await way(database) is Way.PERMIT
        await revoke_retention(database)
        assert await triggers(database) == before
