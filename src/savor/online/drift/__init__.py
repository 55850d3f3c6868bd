"""Whether what is served still looks like what the bundle was trained on."""
