"""What features to make."""

from pydantic import Field

from savor.core.config import Section
from savor.features.text.options import TextEncoderOptions


class FeatureOptions(Section):
    """`[features]` in savor.toml."""

    history_length: int = Field(50, ge=1, le=1000, description="How many of a user's last events the user tower sees.")
    history_category: str | None = Field(
        None, description="Item column seen beside each item of the history; by default the narrowest category."
    )
    minimum_count: int = Field(
        3, ge=1, description="Items with fewer training events share buckets instead of having an id of their own."
    )
    id_buckets: int = Field(64, ge=1, description="How many buckets ids never seen share.")
    value_buckets: int = Field(4, ge=1, description="How many buckets category and tag values never seen share.")
    maximum_tags: int = Field(8, ge=1, description="How many values of a multi-valued column are kept.")
    user_id: bool = Field(True, description="Whether each user has an embedding of their own.")
    item_id: bool = Field(True, description="Whether each item has an embedding of its own in the item tower.")
    profile: bool = Field(True, description="Whether the user table's columns are inputs of the user tower.")
    attributes: bool = Field(
        True, description="Whether categories, tags and numbers of the item table are inputs of the towers."
    )
    history: bool = Field(True, description="Whether the user's last events are inputs of the user tower.")
    history_seconds: bool = Field(False, description="Whether their age in seconds is an input too, for sequence.time.")
    session: bool = Field(
        True,
        description="Whether the events of the present session or basket are inputs of their own; left out where "
        "training would hardly ever see one.",
    )
    session_length: int = Field(20, ge=1, le=200, description="How many of a session's last events the tower sees.")
    moment: bool = Field(True, description="Whether the time of day and of the week are inputs of the user tower.")
    price: bool = Field(True, description="Whether the item's price is an input of the item tower.")
    popularity: bool = Field(
        True, description="Whether the item's sales, in all and in the last four weeks, are inputs."
    )
    text: bool = Field(True, description="Whether the items' text columns are encoded and used.")
    summaries: bool = Field(
        True, description="Whether what `savor summarize` wrote about the items is read with their text columns."
    )
    images: bool = Field(True, description="Whether the items' pictures are encoded and used.")
    visual_preference: bool = Field(
        True, description="Whether the mean picture of the items a user liked last is an input of the user tower."
    )
    visual_items: int = Field(20, ge=1, le=200, description="How many liked items it is the mean of.")
    liked_kinds: tuple[str, ...] = Field(
        (), description="Kinds of events that say that a user likes an item; none: all."
    )
    liked_minimum: float | None = Field(None, description="Least value of an event that says so: a rating of 4, say.")
    search: bool = Field(True, description="Whether the texts a user searched for last are an input of the user tower.")
    search_count: int = Field(5, ge=1, le=100, description="How many searches it is the mean of.")
    reviews: bool = Field(
        True, description="Whether the mean of what was written about an item is an input of the item tower."
    )
    text_encoder: str | TextEncoderOptions | None = Field(
        None,
        description="What turns words into vectors: nothing takes the installed MiniLM, a text is the `folder` below, "
        "and a table says more.",
    )
