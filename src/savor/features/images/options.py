"""How pictures become vectors."""

from typing import Annotated

from pydantic import Field

from savor.core.config import Section

Channels = tuple[float, float, float]
Deviations = tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]


class ImageOptions(Section):
    """`[images]` in savor.toml."""

    encoder: str = Field(
        "efficientnet_b0",
        description='"efficientnet_b0" takes EfficientNetB0 of keras.applications; else the path of an ONNX model that '
        "gives a vector per picture.",
    )
    weights: str | None = Field(
        None,
        description='Weights file of EfficientNetB0 without its top ("efficientnetb0_notop.h5"); by default the '
        "official ones, which Keras fetches once.",
    )
    output: str | None = Field(
        None, description="Name of the ONNX model's output with the vectors; by default its first."
    )
    mean: Channels = Field((127.0, 127.0, 127.0), description="Taken off red, green and blue (0 to 255) for ONNX.")
    deviation: Deviations = Field((128.0, 128.0, 128.0), description="What they are divided by then.")
    folder: str | None = Field(
        None, description="Folder that the paths count from; by default that of the item table's file."
    )
    allow_urls: bool = Field(
        False, description="Whether pictures at http and https addresses are fetched, and kept in the cache."
    )
    maximum_megabytes: float = Field(20.0, gt=0, description="Larger files count as unreadable.")
    threads: int | None = Field(None, ge=1, description="Threads of the ONNX model; by default all processors.")
