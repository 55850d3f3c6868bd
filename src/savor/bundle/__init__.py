"""The immutable, content-addressed artifact that training writes and serving reads, and its registry."""
