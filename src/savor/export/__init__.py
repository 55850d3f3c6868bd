"""Turning a bundle into what a device runs, and proving that it says the same."""
