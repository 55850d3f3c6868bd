"""Words as vectors, encoded once per distinct string and kept by content."""
