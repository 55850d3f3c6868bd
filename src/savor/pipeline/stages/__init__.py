"""The stages that come with Savor, one in a file."""
