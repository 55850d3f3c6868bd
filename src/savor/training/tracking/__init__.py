"""What a training tells of its course, and who keeps it."""
