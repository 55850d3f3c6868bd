"""Ids, errors, clock, configuration base, files and progress: what every other layer stands on."""
