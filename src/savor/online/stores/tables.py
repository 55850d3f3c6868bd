"""The tables of the live database. Migrations make them; a test holds both together."""

from sqlalchemy import BigInteger, Column, Double, Index, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""The last number given to a row of each numbered table. Whoever raises one holds it until the end of the transaction,
so numbers become visible in their order and a reader that goes on after the largest one misses nothing."""

events = Table(
    "events",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Text, nullable=False, unique=True),
    Column("user_id", Text, nullable=False),
    Column("item_id", Text),
    Column("kind", Text, nullable=False),
    Column("time", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Column("value", Double),
    Column("price", Double),
    Column("basket_id", Text),
    Column("recommendation_id", Text),
    Column("position", Integer),
    Column("variant", Text),
    Column("propensity", Double),
    Column("search", Text),
    Index("events_by_user", "user_id", "time"),
)

visitors = Table(
    "visitors",
    metadata,
    Column("visitor_id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False, unique=True),
    Column("merged", BigInteger, nullable=False),
    Index("visitors_by_user", "user_id"),
)

kept_lists = Table(
    "kept_lists",
    metadata,
    Column("customer_id", Text, primary_key=True),
    Column("document", Text, nullable=False),
    Column("changed", BigInteger, nullable=False),
)

entities = Table(
    "entities",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("version", BigInteger, nullable=False, unique=True),
    Column("document", Text),
    Column("changed", BigInteger, nullable=False),
    Index("entities_by_version", "kind", "version"),
)

experiments = Table(
    "experiments",
    metadata,
    Column("name", Text, primary_key=True),
    Column("version", BigInteger, nullable=False, unique=True),
    Column("definition", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("changed", BigInteger, nullable=False),
)

exposures = Table(
    "exposures",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("exposure_id", Text, nullable=False, unique=True),
    Column("experiment", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("recommendation_id", Text),
    Column("item_id", Text),
    Column("position", Integer),
    Column("propensity", Double),
    Column("fallback", Integer),
    Column("seconds", Double),
    Column("time", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Index("exposures_by_experiment", "experiment", "number"),
    Index("exposures_by_user", "user_id"),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("outcome_id", Text, nullable=False, unique=True),
    Column("experiment", Text, nullable=False),
    Column("variant", Text, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("value", Double, nullable=False),
    Column("item_id", Text),
    Column("recommendation_id", Text),
    Column("time", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    Index("outcomes_by_experiment", "experiment", "number"),
    Index("outcomes_by_user", "user_id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("salt", LargeBinary, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("created", BigInteger, nullable=False),
    Column("revoked", BigInteger),
)

audit = Table(
    "audit",
    metadata,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("time", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
)

tombstones = Table(
    "tombstones",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("version", BigInteger, nullable=False, unique=True),
    Column("erased", BigInteger, nullable=False),
    Column("key_check", Text, nullable=False),
)

erasures = Table(
    "erasures",
    metadata,
    Column("receipt_id", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("erased", BigInteger, nullable=False),
    Column("removed", Text, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("device", Text, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("release_id", Text),
    Column("failed_id", Text),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Index("devices_by_last_seen", "last_seen"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("conversation_id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("changed", BigInteger, nullable=False),
    Index("conversations_by_user", "user_id"),
    Index("conversations_by_changed", "changed"),
)

assistant_usage = Table(
    "assistant_usage",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("day", BigInteger, primary_key=True),
    Column("calls", BigInteger, nullable=False),
    Column("prompt_tokens", BigInteger, nullable=False),
    Column("completion_tokens", BigInteger, nullable=False),
    Column("cost", Double, nullable=False),
    Column("held_tokens", BigInteger, nullable=False),
    Column("held_cost", Double, nullable=False),
    Index("assistant_usage_by_day", "day"),
)
"""What language models used for a person on a day (whole days since the epoch); the empty person stands for all."""
