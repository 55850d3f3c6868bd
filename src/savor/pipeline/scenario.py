"""Where a list is shown, and what counts there."""

from collections.abc import Mapping
from types import MappingProxyType

from pydantic import Field

from savor.core.config import Section


class Scenario(Section):
    """`[scenarios.NAME]` in savor.toml: read when a server starts, so a change needs no training."""

    exclude_seen: bool = Field(False, description="Leave out every item in the user's history.")
    weights: dict[str, float] = Field(
        {}, description="What the ranker's heads count in the score: `ctr` and `rating`. By default `ctr` alone."
    )


BUILT_IN: Mapping[str, Scenario] = MappingProxyType({"home": Scenario(), "discover": Scenario(exclude_seen=True)})


def known_scenarios(configured: Mapping[str, Scenario]) -> dict[str, Scenario]:
    """The built-in scenarios, changed and added to by `configured`."""
    made = dict(BUILT_IN)
    for name, scenario in configured.items():
        made[name] = made.get(name, Scenario()).model_copy(update=scenario.model_dump(exclude_unset=True))
    return made
