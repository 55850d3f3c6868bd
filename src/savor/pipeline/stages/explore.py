"""The step that draws part of the order by chance."""


class Explore:
    """Names the step; see `savor.online.experiments.exploration.explore` for what it does."""

    name = "explore"
    reads = frozenset({"item", "score"})
    writes = frozenset[str]()
    required = False
