"""A small shop, made of arrays."""

import numpy as np

from savor.data.events import Events
from savor.features.catalogue import Catalogue
from savor.features.columns import CategoryColumn, Columns, TagColumn
from savor.features.profiles import Profiles
from savor.features.text.vectors import TextVectors

START = 1_600_000_000


def make_events(user, item, time, basket=None, price=None, split=None) -> Events:
    n = len(user)
    return Events(
        np.asarray(user, np.int32),
        np.asarray(item, np.int32),
        np.asarray(time, np.int64),
        np.zeros(n, np.uint8),
        np.ones(n, np.float32),
        np.ones(n, np.float32) if price is None else np.asarray(price, np.float32),
        np.full(n, -1, np.int64) if basket is None else np.asarray(basket, np.int64),
        np.zeros(n, np.uint8) if split is None else np.asarray(split, np.uint8),
    )


def shop(users=30, items=40, events=900, seed=0):
    """Users of group g mostly choose items of department g; gives events, catalogue, profiles and text."""
    rng = np.random.default_rng(seed)
    user = rng.integers(0, users, events)
    group = user % 4
    item = np.where(
        rng.random(events) < 0.8, rng.integers(0, items // 4, events) * 4 + group, rng.integers(0, items, events)
    )
    time = START + np.sort(rng.integers(0, 90 * 86_400, events))
    basket = user * 1000 + (time - START) // 86_400
    departments = CategoryColumn.from_strings([f"department {row % 4}" for row in range(items)])
    kinds = CategoryColumn.from_strings([f"kind {row % 8}" if row % 9 else None for row in range(items)])
    catalogue = Catalogue(
        [f"item-{row}" for row in range(items)],
        [f"Item {row}" for row in range(items)],
        {"department": departments, "kind": kinds},
        {"diet": TagColumn.from_lists([["vegan", "organic"][: row % 3] for row in range(items)])},
        {"weight": np.where(np.arange(items) % 5, rng.random(items), np.nan).astype(np.float32)},
        np.exp(rng.normal(0, 1, items)).astype(np.float32),
        np.ones(items, np.bool_),
        None,
    )
    profiles = Profiles(
        [f"user-{row}" for row in range(users)],
        Columns(
            {"age": CategoryColumn.from_strings([["young", "old", None][row % 3] for row in range(users)])},
            {"likes": TagColumn.from_lists([["sweet"] * (row % 2) for row in range(users)])},
            {"income": np.where(np.arange(users) % 4, rng.random(users), np.nan).astype(np.float32)},
        ),
    )
    text = TextVectors.encode(
        [f"words {row % 7}" if row % 10 else "" for row in range(items)],
        lambda texts: rng.standard_normal((len(texts), 384), np.float32) * np.float32(0.05),
    )
    return make_events(user, item, time, basket), catalogue, profiles, text
