"""Metrics, protocols, intervals and reports."""
