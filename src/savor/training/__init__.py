"""Keras networks, losses, loops and tuning; writes what a bundle is made of."""
