"""Published tasks, run end to end: data, split, models, metrics, and the record of what came out."""
