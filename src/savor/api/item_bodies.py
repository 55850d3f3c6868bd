"""What is said and answered about items."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from savor.api.identifiers import LONGEST

MOST_FIELDS = 256
LONGEST_TEXT = 10_000

Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]
Value = Annotated[str, StringConstraints(max_length=1000)]
Attribute = Text | bool | int | float | Annotated[list[Value], Field(max_length=1000)] | None


class ItemBody(BaseModel):
    """`PUT` and `PATCH /items/{item_id}`: these fields and the item columns of the bundle; null means unknown."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Attribute]

    name: Annotated[str, StringConstraints(max_length=1000)] | None = Field(None, description="Name for people.")
    price: float | None = Field(None, ge=0, le=1e30, allow_inf_nan=False, description="Price now.")
    in_stock: bool | None = Field(None, description="Whether it can be had; null: yes.")
    owner: Value | None = Field(None, description="The business that owns it.")
    created: int | None = Field(
        None, ge=0, le=253_402_300_799, description="When it came into the catalogue, UTC seconds; by default now."
    )
    text: Text | None = Field(None, description="Words to embed it by; by default its text columns.")

    @model_validator(mode="after")
    def _few_plain_fields(self) -> Self:
        names = self.model_extra or {}
        if len(names) > MOST_FIELDS:
            raise ValueError(f"takes at most {MOST_FIELDS} columns")
        if any(len(name) > LONGEST or not name.isprintable() for name in names):
            raise ValueError("names of columns are short and printable")
        return self

    def document(self) -> dict[str, Any]:
        """The fields that were given."""
        return self.model_dump(exclude_unset=True)


class ItemResponse(BaseModel):
    """Answer to `PUT`, `PATCH` and `GET /items/{item_id}`."""

    item_id: str
    attributes: dict[str, Any] = Field(description="What is known of it; null where unknown.")
    in_bundle: bool = Field(description="Whether the bundle was trained with it.")
    changed: int | None = Field(description="When something was last said of it, UTC seconds; null: never.")
    recommendable: bool = Field(
        description="Whether lists can hold it now; a new item takes a moment, and it must be in stock."
    )


class ItemRemoved(BaseModel):
    """Answer to `DELETE /items/{item_id}`."""

    item_id: str
    removed: bool = Field(description="Whether it was there.")
