"""`[pipeline.fairness]` in savor.toml."""

from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator

from savor.core.config import Section

GroupName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class GroupOptions(Section):
    """One group of items: those that fit every rule given."""

    filter: dict[str, Any] | None = Field(None, description="Structured filter that items of the group match.")
    new_days: float | None = Field(None, gt=0, description="Items that came into the catalogue at most so long ago.")
    owner_items: int | None = Field(None, ge=1, description="Items of businesses that have at most so many items.")
    share: float = Field(0.0, ge=0, le=1, description="Least share of exposure, over time.")
    list_share: float = Field(0.0, ge=0, le=1, description="Least share of the exposure of each single list.")
    boost: float = Field(0.0, ge=-1, le=1, description="Added to scores, in spans of the candidates' scores.")

    @model_validator(mode="after")
    def _names_items(self) -> Self:
        if self.filter is None and self.new_days is None and self.owner_items is None:
            raise ValueError("a group needs filter, new_days or owner_items, or it would hold every item")
        return self


class FairnessOptions(Section):
    """Groups with their least exposure, and how popularity is dampened."""

    groups: dict[GroupName, GroupOptions] = Field(default_factory=dict, description="Groups of items, by name.")
    popularity: float = Field(
        0.0, ge=0, le=2, description="How far the most popular item is moved down, in spans of the candidates' scores."
    )
    step: float = Field(0.2, gt=0, le=1, description="How fast exposure over time is brought to its share.")

    @model_validator(mode="after")
    def _shares_fit(self) -> Self:
        for name in ("share", "list_share"):
            if (total := sum(getattr(group, name) for group in self.groups.values())) > 1:
                raise ValueError(f"{name} of all groups together is {total:g}, and there is no more than 1")
        return self
