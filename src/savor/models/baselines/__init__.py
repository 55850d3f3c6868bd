"""Strong, simple models that anything better has to beat."""
