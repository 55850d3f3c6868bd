"""Recommendation as a list of typed stages: protocols, runner and stock stages."""
