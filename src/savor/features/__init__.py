"""Every feature defined once, used by training and by serving; pure NumPy."""
