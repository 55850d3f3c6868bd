import pytest
from sqlalchemy import delete, update

from savor.online.stores.audit import Audit
from savor.online.stores.errors import StoreError
from savor.online.stores.tables import audit


def test_deeds_in_order(database):
    log = Audit(database, lambda: 1_700_000_000)
    for number in range(5):
        log.record("key-1", "bundle.activate", f"b{number}", {"from": number})
    assert [entry.subject for entry in log.read_after(0)] == ["b0", "b1", "b2", "b3", "b4"]
    assert [entry.subject for entry in log.read_after(2, 2)] == ["b2", "b3"]
    newest = log.latest(1)[0]
    assert (newest.time, newest.actor, newest.action, newest.detail) == (
        1_700_000_000, "key-1", "bundle.activate", {"from": 4}
    )  # fmt: skip


@pytest.mark.parametrize("change", [delete(audit), update(audit).values(actor="nobody")])
def test_the_database_refuses_to_change_it(database, change):
    log = Audit(database)
    log.record("key-1", "key.revoke", "key-2")
    with pytest.raises(StoreError, match="append-only"), database.writing() as connection:
        connection.execute(change)
    assert [entry.actor for entry in log.latest()] == ["key-1"]
