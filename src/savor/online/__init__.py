"""What changes between two trainings: user state, and later events and experiments."""
