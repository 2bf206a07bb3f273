import trenova_schedules


def test_the_root_exports_exactly_what_is_public():
    assert set(trenova_schedules.__all__) == {
        "OWNER_MEMO",
        "CreatedReport",
        "ScheduleDefinition",
        "create_missing",
    }
    assert all(hasattr(trenova_schedules, name) for name in trenova_schedules.__all__)
