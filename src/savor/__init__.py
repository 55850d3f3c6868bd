"""Savor: a self-hosted recommender for things people choose again and again."""

__version__ = "0.1.0"
