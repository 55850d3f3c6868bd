"""Events for tests."""

from savor.online.event_batch import EventBatch

NOW = 1_700_000_000_000_000


def event(number, user="ann", **others):
    return {
        "event_id": f"e{number}",
        "user_id": user,
        "kind": "view",
        "item_id": f"i{number}",
        "time": NOW + number,
        **others,
    }


def batch(*numbers, user="ann", received=NOW, **others):
    return EventBatch.of([event(number, user, **others) for number in numbers], received)
