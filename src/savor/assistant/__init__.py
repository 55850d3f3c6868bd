"""The assistant: a language model that chooses and phrases; the catalogue decides what exists."""
