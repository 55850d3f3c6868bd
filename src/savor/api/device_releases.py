"""The releases of a project as a server gives them to devices, and what it hears from them."""

import asyncio
import logging
from pathlib import Path

from savor.api.device_options import DeviceOptions
from savor.bundle.release_index import ReleaseIndex, Shelf
from savor.bundle.releases import Releases
from savor.core.errors import SavorError
from savor.online.stores.devices import Devices, Sighting
from savor.online.stores.stores import Stores

logger = logging.getLogger("savor.device")


class DeviceReleases:
    """What `/device` answers from.

    Args:
        index: what may be fetched now.
        devices: where devices are counted; None: nowhere.
        options: who may ask.
    """

    def __init__(self, index: ReleaseIndex, devices: Devices | None, options: DeviceOptions) -> None:
        self.index, self.devices, self.options = index, devices, options

    @classmethod
    def open(cls, directory: Path, options: DeviceOptions, stores: Stores | None) -> "DeviceReleases":
        """Those in the folder `directory`, which need not be there yet."""
        devices = None
        if stores is not None:
            devices = Devices(stores.database, forget_days=options.forget_days, most=options.most_devices)
        return cls(ReleaseIndex(Releases(directory), options.follow_seconds), devices, options)

    async def shelf(self) -> Shelf:
        """What may be fetched now."""
        return self.index.shelf() if self.index.fresh else await asyncio.to_thread(self.index.shelf)

    def news(self, sighting: Sighting) -> bool:
        """Whether there is anything to keep of what a device said."""
        return self.devices is not None and self.devices.news(sighting)

    def saw(self, sighting: Sighting) -> None:
        """Count a device; where the database is away it is counted another time."""
        assert self.devices is not None
        try:
            self.devices.saw(sighting)
        except SavorError as error:
            logger.warning("a device was not counted: %s", error)
