"""What is answered about the releases for devices."""

from pydantic import BaseModel, Field


class RolloutBody(BaseModel):
    """One release on a channel."""

    release: str
    bundle: str = Field(description="The server's bundle that it was made of.")
    variant: str = Field(description="How its numbers are stored.")
    number_of_items: int
    size: int = Field(description="Bytes of all its files.")
    share: float = Field(description="Of the devices that get it, unless they get a newer one.")
    since: int = Field(description="UTC seconds when it came to the channel.")
    changed: int = Field(description="UTC seconds when its share was set last.")
    running: int | None = Field(description="Devices seen lately that it runs on; null where they cannot be counted.")
    failed: int | None = Field(description="Devices seen lately that refused it; null where they cannot be counted.")


class ChannelBody(BaseModel):
    """One channel."""

    channel: str
    releases: list[RolloutBody] = Field(description="Newest first; a device gets the first one whose share holds it.")
    elsewhere: int | None = Field(description="Devices of the channel that run a release that is not on it any more.")


class ReleasesResponse(BaseModel):
    """Answer to `GET /device/releases`."""

    channels: list[ChannelBody]
    days: float = Field(description="Within how many days a device must have asked to be counted.")
    problem: str | None = Field(description="Why something of this is not as new as it should be.")
