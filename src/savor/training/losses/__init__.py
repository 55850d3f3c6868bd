"""Losses of retrieval: pure functions from scores to one loss per example, of which the caller takes the mean."""
