"""Exact and approximate nearest neighbours behind one protocol."""
