"""Rating prediction as a task of its own."""
