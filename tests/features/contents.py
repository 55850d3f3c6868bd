"""Pictures, searches and reviews of the small shop."""

import numpy as np

from savor.data.event_texts import EventTexts
from savor.features.feature_space import FeatureSpace
from savor.features.images.vectors import ImageVectors
from savor.features.options import FeatureOptions
from savor.features.searches import Searches
from savor.features.text.reviews import review_vectors
from tests.features.synthetic import START, shop

EVENTS, CATALOGUE, PROFILES, TEXT = shop()
KINDS = ("purchase", "view")
DAY = 86_400


def encode(texts):
    """Vectors that follow from the text alone."""
    rows = [np.random.default_rng(list(text.encode())).standard_normal(384) for text in texts]
    return np.asarray(rows, np.float32).reshape(len(texts), 384) / 20


def make_texts(user, time, search, review=None, item=None) -> EventTexts:
    order = np.argsort(np.asarray(time), kind="stable")
    number = len(order)

    def sorted_list(values):
        return [values[row] for row in order]

    return EventTexts(
        np.asarray(user, np.int32)[order],
        np.asarray([-1] * number if item is None else item, np.int32)[order],
        np.asarray(time, np.int64)[order],
        sorted_list(search),
        sorted_list(review or [None] * number),
    )


def make_images(items=40, width=12, seed=0) -> ImageVectors:
    """Every seventh item has no picture; items 1 and 2 have the same."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((items + 1, width))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[0] = 0
    row = np.where(np.arange(items) % 7 == 3, 0, np.arange(1, items + 1)).astype(np.int32)
    row[2] = row[1]
    return ImageVectors(row, vectors.astype(np.float16))


def some_texts(seed=1, number=300) -> EventTexts:
    rng = np.random.default_rng(seed)
    user = rng.integers(0, len(PROFILES) - 2, number)
    time = START + rng.integers(0, 90 * DAY, number)
    words = [f"query {row}" for row in rng.integers(0, 25, number)]
    search = [word if row % 3 else None for row, word in enumerate(words)]
    review = [f"review {row % 11}" if not row % 3 else None for row in range(number)]
    return make_texts(user, time, search, review, rng.integers(0, 30, number))


def full_space(events=EVENTS, texts=None, **options) -> FeatureSpace:
    """A space with every input there is."""
    texts = some_texts() if texts is None else texts
    until = int(events.time[-1]) + 1
    return FeatureSpace.fit(
        events,
        CATALOGUE,
        PROFILES,
        FeatureOptions(**{"history_length": 6, "session_length": 4, "visual_items": 5, "search_count": 3, **options}),
        TEXT,
        images=make_images(),
        reviews=review_vectors(texts, len(CATALOGUE), until, encode),
        searches=Searches.encode(texts, len(PROFILES), encode, "made"),
        kinds=KINDS,
    )
