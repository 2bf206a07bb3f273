import pytest

from trenova_access import (
    AccessConfigurationError,
    Grant,
    PermissionClaim,
    Principal,
    Roles,
    ValueClaim,
)

READ = PermissionClaim(claim="permissions", roles={"read": "viewer"})


def given(rule, **claims):
    return {(grant.resource, grant.role) for grant in rule.grants(claims)}


@pytest.mark.parametrize("value", [["pay.acct:read", "b:read"], "pay.acct:read b:read"])
def test_permissions_are_a_list_or_words(value):
    assert given(READ, permissions=value) == {("pay.acct", "viewer"), ("b", "viewer")}


@pytest.mark.parametrize("value", [None, 5, {"a": 1}, [5, None, ["a:read"]], "read", ":read", "a:write", "a:read:x"])
def test_what_is_no_permission_gives_nothing(value):
    assert given(READ, permissions=value) == set()


def test_a_token_does_not_mean_everything_by_itself():
    everywhere = PermissionClaim(claim="p", roles={"admin": "admin"}, resources={"temporal-system": "*"})

    assert given(READ, permissions=["*:read"]) == set()
    assert given(everywhere, p=["temporal-system:admin"]) == {("*", "admin")}


def test_nested_claims_and_claims_with_dots_are_found():
    nested = PermissionClaim(claim="realm.codec.roles", roles={"read": "viewer"})
    dotted = PermissionClaim(claim="https://trenova.example/permissions", roles={"read": "viewer"})

    assert given(nested, realm={"codec": {"roles": ["a:read"]}}) == {("a", "viewer")}
    assert given(nested, realm="a:read") == set()
    assert given(dotted, **{"https://trenova.example/permissions": ["a:read"]}) == {("a", "viewer")}


def test_groups_stand_for_grants():
    rule = ValueClaim(claim="groups", values={"Dispatch Leads": (Grant(resource="default", role="operator"),)})

    assert given(rule, groups=["Dispatch Leads", "others"]) == {("default", "operator")}
    assert given(rule, groups="Dispatch Leads") == {("default", "operator")}


def test_a_role_includes_others_through_others():
    roles = Roles({"viewer": (), "operator": ["viewer"], "admin": ["operator"]})
    who = Principal("ada", "token", frozenset({Grant(resource="a", role="admin"), Grant(resource="b", role="viewer")}))

    assert roles.permits(who, "a", "viewer")
    assert roles.permits(who, "b", "viewer")
    assert not roles.permits(who, "b", "operator")
    assert not roles.permits(who, "c", "viewer")
    assert not roles.permits(who, "a", "unheard-of")


def test_roles_may_include_each_other_but_not_what_is_none():
    assert Roles({"a": ["b"], "b": ["a"]}).names == ["a", "b"]
    with pytest.raises(AccessConfigurationError, match="'operator', which is no role; there are admin"):
        Roles({"admin": ["operator"]})
