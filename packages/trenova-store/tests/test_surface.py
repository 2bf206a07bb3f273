import trenova_store
import trenova_store.testing


def test_the_public_names_are_these():
    assert set(trenova_store.__all__) == NAMES
    assert all(hasattr(trenova_store, name) for name in NAMES)
    assert trenova_store.testing.__all__ == ["PostgresServer"]


NAMES = {
    "JOBS_SCHEMA",
    "KeyClaim",
    "MigrationTree",
    "RequestKeys",
    "Rows",
    "StoreDriverError",
    "StoreEngine",
    "StoreMigration",
    "StoreOptions",
    "Translated",
    "classified",
    "ensure_schema",
    "insert_missing",
    "is_current",
    "is_of_database",
    "migrate",
    "migrating",
    "translated",
    "upsert",
}
