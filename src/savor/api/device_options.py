"""How devices fetch their releases."""

from pydantic import Field

from savor.core.config import Section


class DeviceOptions(Section):
    """`[device]` in savor.toml."""

    public: bool = Field(
        False,
        description="Whether devices may fetch manifests and files without a key, from pages of any site too, on a "
        "server that asks others for keys. A catalogue that anybody may see can be public; so can an app.",
    )
    requests_per_second: float = Field(
        5.0,
        gt=0,
        description="How many requests of one network address are answered in the long run, of those without a key and "
        "of those with a key that opens `device` alone.",
    )
    burst: float = Field(100.0, ge=1, description="How many of them may come at once after a pause.")
    follow_seconds: float = Field(1.0, gt=0, le=3600, description="How often a server looks for a changed roll-out.")
    active_days: float = Field(30.0, gt=0, description="Devices that asked within so many days are counted.")
    forget_days: float = Field(90.0, gt=0, description="After how many days of silence a device is forgotten.")
    most_devices: int = Field(
        1_000_000, ge=1, description="How many devices are remembered; further ones are served and not counted."
    )
