"""Whether somebody will like something, from what was known at that moment."""
