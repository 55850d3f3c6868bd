import pytest

from savor.api.live_requests import EventBody
from savor_edge import EdgeError, EventUpload
from savor_edge.person_store import PersonStore
from tests.edge.device_server import running
from tests.synthetic_bundle import NOW


@pytest.fixture
def server():
    with running() as server:
        yield server


@pytest.fixture
def store():
    store = PersonStore(None, lambda: NOW * 1000)
    store.set_consent(True)
    return store


def fill(store, number):
    store.record(
        [
            {"event_id": f"e{place}", "user_id": store.visitor, "kind": "view", "item_id": place}
            for place in range(number)
        ]
    )


def names(server):
    return [event["event_id"] for event in server.events]


def test_events_arrive_once_and_in_order(server, store):
    fill(store, 25)
    assert EventUpload(store, server.url, batch=10).send() == (25, 0, 0, None)
    assert server.batches == [10, 10, 5]
    assert names(server) == [f"e{place}" for place in range(25)]
    for event in server.events:
        assert EventBody.model_validate(event).time == NOW * 1_000_000
    assert EventUpload(store, server.url).send() == (0, 0, 0, None)
    assert server.batches == [10, 10, 5]


def test_nothing_without_consent(server, store):
    fill(store, 3)
    store.set_consent(False)
    assert EventUpload(store, server.url).send() == (0, 0, 0, None)
    assert server.events == []


def test_what_cannot_be_sent_waits_for_the_network(server, store):
    fill(store, 3)
    server.status = 503
    found = EventUpload(store, server.url).send()
    assert found[:3] == (0, 0, 3)
    assert "status 503: because" in (found.problem or "")
    away = EventUpload(store, "http://127.0.0.1:9").send()
    assert away[:3] == (0, 0, 3)
    assert "cannot be reached" in (away.problem or "")
    server.status = 200
    assert EventUpload(store, server.url).send() == (3, 0, 0, None)


def test_one_bad_event_keeps_no_other_back(server, store):
    fill(store, 9)
    server.bad = {"e3", "e4"}
    assert EventUpload(store, server.url).send() == (7, 2, 0, None)
    assert sorted(names(server)) == [f"e{place}" for place in range(9) if place not in (3, 4)]
    assert len(list(store.events(store.visitor))) == 9
    assert EventUpload(store, server.url).send() == (0, 0, 0, None)


def test_withdrawing_consent_stops_at_once(server, store):
    fill(store, 4)

    class Withdrawing(PersonStore):
        def sent(self, numbers):
            super().sent(numbers)
            self.set_consent(False)

    store.__class__ = Withdrawing
    assert EventUpload(store, server.url, batch=2).send().sent == 2
    assert names(server) == ["e0", "e1"]


def test_a_batch_has_a_limit(store):
    with pytest.raises(EdgeError, match="1 to 1000 events"):
        EventUpload(store, "http://localhost", batch=1001)
