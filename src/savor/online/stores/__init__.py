"""Where what happens while the service runs is kept."""
