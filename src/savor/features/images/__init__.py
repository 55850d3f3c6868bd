"""Pictures as vectors, encoded once per distinct content and kept by it."""
