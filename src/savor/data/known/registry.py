"""The known data sets by name."""

from savor.core.errors import DataError
from savor.data.known.amazon_beauty import AMAZON_BEAUTY
from savor.data.known.complete_journey import COMPLETE_JOURNEY
from savor.data.known.gowalla import GOWALLA
from savor.data.known.known_dataset import KnownDataset
from savor.data.known.movielens_1m import MOVIELENS_1M
from savor.data.known.movielens_100k import MOVIELENS_100K
from savor.data.known.online_retail import ONLINE_RETAIL

KNOWN = {
    known.name: known
    for known in (COMPLETE_JOURNEY, MOVIELENS_1M, MOVIELENS_100K, ONLINE_RETAIL, AMAZON_BEAUTY, GOWALLA)
}


def known_dataset(name: str) -> KnownDataset:
    """The known data set called `name`.

    Raises:
        DataError: there is none; the message lists those there are.
    """
    if name not in KNOWN:
        raise DataError(f"{name!r} is no known data set; there are: {', '.join(KNOWN)}")
    return KNOWN[name]
