import pytest

from savor.online.stores.api_keys import ApiKeys
from savor.online.stores.errors import StoreAwayError, StoreError
from savor.online.stores.key_ring import KeyRing
from savor.online.stores.tables import api_keys


@pytest.fixture
def keys(database):
    return ApiKeys(database, lambda: 1_700_000_000)


def test_a_key_opens_what_it_is_for_until_it_is_revoked(keys):
    made, shown = keys.create("shop", ["read"])
    other, other_shown = keys.create("till", ["write", "admin"])
    assert keys.verify(shown) == made
    assert made.allows("read")
    assert not made.allows("write")
    assert other.allows("read")
    assert {key.name for key in keys.list()} == {"shop", "till"}
    for wrong in (
        "",
        "x",
        shown[:-1],
        shown + "x",
        shown[:-1] + ("a" if shown[-1] != "a" else "b"),
        f"savor_{'0' * 12}_{shown[-43:]}",
    ):
        assert keys.verify(wrong) is None
    assert keys.verify(f"savor_{made.id}_{other_shown[-43:]}") is None
    assert keys.revoke(made.id)
    assert not keys.revoke(made.id)
    assert not keys.revoke("unknown")
    assert keys.verify(shown) is None
    assert keys.verify(other_shown) == other
    revoked = next(key for key in keys.list() if key.id == made.id)
    assert revoked.revoked == 1_700_000_000
    assert not revoked.allows("read")


def test_secrets_are_not_kept(keys, database):
    _, shown = keys.create("shop", ["read"])
    with database.reading() as connection:
        row = connection.execute(api_keys.select()).one()
    assert shown[-43:].encode() not in b"".join(str(value).encode() for value in row)


@pytest.mark.parametrize("scopes", [[], ["root"]])
def test_scopes_that_do_not_exist(keys, scopes):
    with pytest.raises(StoreError, match="read, write, admin"):
        keys.create("shop", scopes)


def test_the_ring_knows_keys_while_the_database_is_away(keys, monkeypatch):
    now = [0.0]
    made, shown = keys.create("shop", ["read"])
    ring = KeyRing(keys, 5.0, lambda: now[0])
    assert ring.verify(shown) == made
    assert ring.verify("savor_wrong") is None
    keys.revoke(made.id)
    assert ring.verify(shown) == made
    other, other_shown = keys.create("till", ["write"])
    now[0] = 6.0
    assert ring.verify(shown) is None
    assert ring.verify(other_shown) == other

    def away(*_):
        raise StoreAwayError("gone")

    monkeypatch.setattr(keys, "records", away)
    now[0] = 20.0
    assert ring.verify(other_shown) == other
    assert ring.problem == "gone"
    with pytest.raises(StoreAwayError):
        KeyRing(keys).verify(other_shown)
