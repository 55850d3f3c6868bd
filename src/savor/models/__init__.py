"""Scorers, arrays in and arrays out: baselines, LiteRT towers, tree rankers. Never imports TensorFlow."""
