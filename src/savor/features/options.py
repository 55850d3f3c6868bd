"""What features to make."""

from pydantic import Field

from savor.core.config import Section


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
    moment: bool = Field(True, description="Whether the time of day and of the week are inputs of the user tower.")
    price: bool = Field(True, description="Whether the item's price is an input of the item tower.")
    popularity: bool = Field(
        True, description="Whether the item's sales, in all and in the last four weeks, are inputs."
    )
    text: bool = Field(True, description="Whether the items' text columns are encoded and used.")
    text_encoder: str | None = Field(
        None, description="Folder with model.onnx and tokenizer.json; by default the installed MiniLM."
    )
