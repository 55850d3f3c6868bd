"""HTTP routes, one group in a file."""
