import trenova_schedules


def test_the_root_exports_exactly_what_is_public():
    assert set(trenova_schedules.__all__) == {
        "ANY_WORKFLOW",
        "OWNER_MEMO",
        "SCHEDULES_GROUP",
        "AppliedReport",
        "AppliedSchedule",
        "BackfillPolicy",
        "CreatedReport",
        "FieldChange",
        "FieldOverride",
        "Outcome",
        "Plan",
        "PlanKind",
        "PlannedSchedule",
        "Reconciler",
        "Registrations",
        "ScheduleContribution",
        "ScheduleDefinition",
        "ScheduleSlo",
        "create_missing",
    }
    assert all(hasattr(trenova_schedules, name) for name in trenova_schedules.__all__)
