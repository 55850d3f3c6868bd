"""A language model that ranks and rates: by likelihood, over items that exist, never by free generation."""
