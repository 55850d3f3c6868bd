"""Recommendations on the device: an edge bundle of Savor, run with NumPy and LiteRT alone.

`EdgeRecommender.open(folder).recommend("me")` answers as the server's `POST /recommendations` does, without a network.
"""

from savor_edge.errors import EdgeError
from savor_edge.recommender import EdgeRecommender
from savor_edge.updates import Updates
from savor_edge.upload import EventUpload

__version__ = "0.1.0"

__all__ = ["EdgeError", "EdgeRecommender", "EventUpload", "Updates", "__version__"]
