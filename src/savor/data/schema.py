"""What the tables of a domain mean: the roles of their columns."""

from typing import Literal, Self

from pydantic import Field, model_validator

from savor.core.config import Section
from savor.core.hashing import sha256_json


class EventTable(Section):
    """Where the events are, and which column plays which role."""

    source: str = Field(
        description="File (CSV, Parquet or JSON Lines; a glob reads several) or database URL of the events."
    )
    query: str | None = Field(None, description="SQL to run when `source` is a database URL.")
    user: str = Field(description="Column with the user's id.")
    item: str = Field(description="Column with the item's id.")
    time: str = Field(description="Column with the moment: ISO text, a timestamp, or epoch seconds to nanoseconds.")
    time_format: str | None = Field(
        None, description='How text in `time` is written where it is not ISO, as in strptime: "%d/%m/%Y %H:%M".'
    )
    kind: str | None = Field(None, description="Column with the kind of event (view, click, purchase, …).")
    default_kind: str = Field("purchase", description="Kind of events where there is no `kind` column or it is empty.")
    value: str | None = Field(None, description="Column with the quantity or the rating.")
    value_meaning: Literal["quantity", "rating", "none"] = Field("quantity", description="What `value` measures.")
    minimum_value: float | None = Field(
        None, description="Rows whose value is below this are left out by rule and counted: returns, low ratings."
    )
    anonymous: Literal["quarantine", "leave_out"] = Field(
        "quarantine", description="Rows without a user are faults, or are left out by rule and counted."
    )
    price: str | None = Field(None, description="Column with the money paid.")
    price_meaning: Literal["line", "unit"] = Field(
        "line", description="Whether `price` is for the whole line or for one of `value`."
    )
    basket: str | None = Field(None, description="Column with the basket or session id.")
    search: str | None = Field(None, description="Column with what the user searched for; a row with it needs no item.")
    review: str | None = Field(None, description="Column with what the user wrote about the item.")
    order: str | None = Field(None, description="Column that gives the order of events with the same time.")
    split: str | None = Field(None, description="Column that says train, validation or test, for a given split.")


class ItemTable(Section):
    """Where the items are, and which column plays which role."""

    source: str = Field(description="File or database URL of the items.")
    query: str | None = Field(None, description="SQL to run when `source` is a database URL.")
    id: str = Field(description="Column with the item's id.")
    name: str | None = Field(None, description="Column with what people call the item; shown in answers and pages.")
    categories: tuple[str, ...] = Field((), description="Categorical columns, from the widest level to the narrowest.")
    tags: tuple[str, ...] = Field((), description="Columns with several values in one cell.")
    tag_separator: str = Field("|", min_length=1, description="What stands between the values of a tag column.")
    numerics: tuple[str, ...] = Field((), description="Columns with numbers.")
    text: tuple[str, ...] = Field(
        (), description="Columns whose words describe the item; joined and encoded with MiniLM."
    )
    image: str | None = Field(None, description="Column with the path or URL of the item's picture.")
    price: str | None = Field(None, description="Column with the item's price.")
    stock: str | None = Field(None, description="Column that says whether the item can be had (true/false or a count).")
    owner: str | None = Field(None, description="Column with the business that owns the item.")
    created: str | None = Field(None, description="Column with the moment the item came into the catalogue.")

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column with a role but the id, each once."""
        listed = [self.name, *self.categories, *self.tags, *self.numerics, *self.text]
        listed += [self.image, self.price, self.stock, self.owner, self.created]
        return tuple(dict.fromkeys(column for column in listed if column is not None and column != self.id))


class UserTable(Section):
    """Where the users are, and which column plays which role."""

    source: str = Field(description="File or database URL of the users.")
    query: str | None = Field(None, description="SQL to run when `source` is a database URL.")
    id: str = Field(description="Column with the user's id.")
    categories: tuple[str, ...] = Field((), description="Categorical columns: age group, location, ….")
    tags: tuple[str, ...] = Field((), description="Columns with several stated preferences in one cell.")
    tag_separator: str = Field("|", min_length=1, description="What stands between the values of a tag column.")
    numerics: tuple[str, ...] = Field((), description="Columns with numbers.")

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column with a role but the id."""
        return (*self.categories, *self.tags, *self.numerics)


class Schema(Section):
    """The three tables, and what in them is personal."""

    events: EventTable
    items: ItemTable | None = None
    users: UserTable | None = None
    personal: tuple[str, ...] = Field(
        (), description="Columns with personal data: `user` ids among them become keyed hashes, all others are dropped."
    )

    @model_validator(mode="after")
    def _columns_are_used_once(self) -> Self:
        problems = []
        for name, table in (("items", self.items), ("users", self.users)):
            if table is None:
                continue
            listed = [*table.categories, *table.tags, *table.numerics]
            repeated = sorted({column for column in listed if listed.count(column) > 1})
            if repeated:
                problems.append(f"{name}: columns stand in more than one of categories, tags and numerics: {repeated}")
            if table.id in listed:
                problems.append(f"{name}: the id column {table.id!r} cannot be a feature as well")
            elif "id" in table.columns:
                problems.append(f"{name}: a column called 'id' cannot be a feature when the id column is {table.id!r}")
        if self.items is not None:
            numbers = {*self.items.numerics, self.items.price, self.items.stock, self.items.created} - {None}
            words = {*self.items.categories, *self.items.tags, *self.items.text, self.items.name, self.items.owner}
            if both := sorted(str(column) for column in numbers & words):
                problems.append(f"items: columns are used both as numbers and as words: {both}")
        if vital := sorted({self.events.item, self.events.time} & set(self.personal)):
            problems.append(f"personal: {vital} are the items and moments of the events and cannot be dropped")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def pseudonymous(self) -> bool:
        """Whether user ids are replaced by keyed hashes."""
        ids = {self.events.user} | ({self.users.id} if self.users is not None else set())
        return bool(ids & set(self.personal))

    def without_personal(self) -> "Schema":
        """The schema without the roles that personal columns play; user ids stay."""
        kept_ids = {self.events.user} | ({self.users.id} if self.users is not None else set())
        dropped = set(self.personal) - kept_ids
        return self.model_copy(
            update={
                name: _without(table, dropped)
                for name, table in (("events", self.events), ("items", self.items), ("users", self.users))
                if table is not None
            }
        )

    @property
    def hash(self) -> str:
        """64 hexadecimal digits that name this schema."""
        return sha256_json(self.model_dump(mode="json"))


def _without(table: Section, dropped: set[str]) -> Section:
    places = {"source", "query", "id", "user", "item", "time"}
    changed: dict[str, object] = {}
    for role, value in table:
        if role not in places and isinstance(value, tuple):
            changed[role] = tuple(column for column in value if column not in dropped)
        elif role not in places and isinstance(value, str) and value in dropped:
            changed[role] = None
    return table.model_copy(update=changed)
