"""How ingest goes about its work."""

from zoneinfo import available_timezones

from pydantic import Field, field_validator

from savor.core.config import Section


class IngestOptions(Section):
    """The `[ingest]` section of `savor.toml`."""

    timezone: str = Field("UTC", description="Time zone of moments that name none, as in the IANA list.")
    max_quarantine_share: float = Field(
        0.05, ge=0, le=1, description="Ingest fails if a larger share of a table's rows is bad."
    )
    remove_duplicates: bool = Field(True, description="Keep only the first of several events with equal keys.")
    duplicate_keys: tuple[str, ...] = Field(
        (), description="Event columns that together name an event; empty: all columns that have a role."
    )
    memory: str = Field("2GB", description="Memory the data engine may take before it spills to disk.")
    threads: int | None = Field(None, ge=1, description="Threads of the data engine; all processors if not given.")

    @field_validator("timezone")
    @classmethod
    def _timezone_is_known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError(f"{name!r} is no time zone of the IANA list; write one like 'Europe/Berlin' or 'UTC'")
        return name
