import numpy as np

from savor.features.images.vectors import ImageVectors
from savor.pipeline.picture_search import PictureSearch
from savor.pipeline.similar_items import SimilarItems

VECTORS = np.asarray([[0, 0], [1, 0], [0.6, 0.8], [0, 1]], np.float16)


def pictures(items):
    row = np.zeros(items, np.int32)
    row[[2, 4, 6, 8]] = [1, 2, 3, 1]
    return PictureSearch(ImageVectors(row, VECTORS))


def test_the_most_alike_first_and_none_without_a_picture():
    search = pictures(10)
    eligible = np.ones(10, np.bool_)
    eligible[2] = False
    found = search.nearest(2, 5, eligible)
    assert found.item.tolist() == [8, 4, 6]
    assert found.item.dtype == np.int32
    np.testing.assert_allclose(found.score, [1, 0.6, 0], atol=1e-3)
    eligible[8] = False
    assert search.nearest(2, 1, eligible).item.tolist() == [4]
    assert [item for item in range(-1, 12) if search.has(item)] == [2, 4, 6, 8]


def test_similar_items_by_picture(serving):
    own = serving.similar
    similar = SimilarItems(serving.catalogue, own._search, own._popular, pictures(len(serving.catalogue)))
    found = similar.find(2, 3, None, by_picture=True)
    assert found.items.tolist() == [8, 4, 6]
    assert found.fallback is None
    assert similar.find(2, 3, None).items.tolist() == own.find(2, 3, None).items.tolist()
    without = similar.find(3, 3, None, by_picture=True)
    assert without.items.tolist() == own.find(3, 3, None).items.tolist()
    assert "picture_absent" in (without.fallback or "")
    assert "picture_absent" in (own.find(2, 3, None, by_picture=True).fallback or "")
