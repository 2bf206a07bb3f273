"""Parts that the revisions of the embedded TMS are made of; never changed after a release, only added to."""

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    String,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.schema import SchemaItem

TENANT = ("organization_id", "business_unit_id")


def is_sqlite() -> bool:
    """Whether the migration runs on SQLite."""
    return op.get_context().dialect.name == "sqlite"


def identifier(name: str, *, nullable: bool = False) -> Column[str]:
    """Build a column that holds a prefixed ULID."""
    return Column(name, String(100), nullable=nullable)


def stamps() -> list[Column[int]]:
    """Build version, created_at and updated_at; times are unix seconds by the database's clock."""
    clock = (
        "(CAST(strftime('%s', 'now') AS INTEGER))"
        if is_sqlite()
        else "CAST(extract(epoch FROM current_timestamp) AS bigint)"
    )
    return [
        Column("version", BigInteger, nullable=False, server_default=text("0")),
        Column("created_at", BigInteger, server_default=text(clock)),
        Column("updated_at", BigInteger, server_default=text(clock)),
    ]


def reference(table: str, column: str) -> ForeignKeyConstraint:
    """Build a foreign key within the tenant."""
    target = [f"{table}.{name}" for name in ("id", *TENANT)]
    return ForeignKeyConstraint([column, *TENANT], target)


def child_of(table: str, column: str) -> ForeignKeyConstraint:
    """Build a foreign key to the row that this one is a part of and goes with."""
    target = [f"{table}.{name}" for name in ("id", *TENANT)]
    return ForeignKeyConstraint([column, *TENANT], target, ondelete="CASCADE")


def to_user(column: str) -> ForeignKeyConstraint:
    """Build a foreign key to a user."""
    return ForeignKeyConstraint([column], ["users.id"])


def one_of(table: str, column: str, *values: str) -> CheckConstraint:
    """Build a check that a column holds one of the values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=f"ck_{table}_{column}")


def json_object(table: str, column: str) -> list[SchemaItem]:
    """Build a column that holds a JSON object, ``{}`` by default."""
    kind, test = (JSON(), "json_type") if is_sqlite() else (JSONB(), "jsonb_typeof")
    return [
        Column(column, kind, nullable=False, server_default=text("'{}'")),
        CheckConstraint(f"{test}({column}) = 'object'", name=f"ck_{table}_{column}_object"),
    ]


def tenant_table(name: str, *parts: SchemaItem) -> None:
    """Create a table whose rows belong to a tenant: id and tenant are its key."""
    op.create_table(
        name,
        identifier("id"),
        *(identifier(column) for column in TENANT),
        *parts,
        *stamps(),
        PrimaryKeyConstraint("id", *TENANT),
        ForeignKeyConstraint(["organization_id"], ["organizations.id"]),
        ForeignKeyConstraint(["business_unit_id"], ["business_units.id"]),
    )


def catalog_table(name: str, *parts: SchemaItem) -> None:
    """Create a table of master data: a code that is unique in its tenant, a description, and more."""
    columns = [Column("code", String(32), nullable=False), Column("description", Text)]
    tenant_table(name, *columns, *parts)
    op.create_index(f"ux_{name}_code", name, ["organization_id", "code"], unique=True)
