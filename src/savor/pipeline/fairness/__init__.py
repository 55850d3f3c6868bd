"""Who is shown, and how unlike the items of a list are: pure functions over arrays."""
