"""Sequence models: the user's vector is read off the order of what they did."""
