"""Examples on disk, read a piece at a time."""
