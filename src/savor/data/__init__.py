"""Schema, sources, ingest, splits and known datasets: raw tables to a Dataset."""
