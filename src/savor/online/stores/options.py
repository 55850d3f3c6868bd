"""Where what happens while the service runs is kept."""

from pydantic import Field

from savor.core.config import Section


class StoreOptions(Section):
    """`[stores]` in savor.toml."""

    database: str = Field(
        "sqlite:///.savor/live.db",
        description="Address of the live database: sqlite:///FILE (from the project) or postgresql://USER@HOST/NAME. "
        "${NAME} stands for an environment variable; SAVOR_DATABASE_URL takes the place of all of it.",
    )
    redis: str | None = Field(
        None,
        description="Address of a Redis server for recent events and rate limits shared by several servers: "
        "redis://HOST:PORT/NUMBER; SAVOR_REDIS_URL takes its place. Without one, each process has its own.",
    )
    patience: float = Field(
        2.0, gt=0, description="Seconds after which a database that does not answer counts as away."
    )
    recent_events: int = Field(
        200, ge=1, le=10_000, description="How many of a user's last events are kept near to hand."
    )
    recent_users: int = Field(100_000, ge=1, description="Of how many users a process keeps them.")
    recent_days: float = Field(7.0, gt=0, description="For how many days after a user's last event.")
