"""Bytes of a picture to pixels."""

import warnings
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from savor.core.errors import MissingDependencyError

MOST_PIXELS = 100_000_000


class UnreadableImageError(Exception):
    """A picture cannot be used; the message is a short reason, the same for all pictures with this fault."""


def decode_image(content: bytes, size: int) -> NDArray[np.uint8]:
    """The (size, size, 3) uint8 RGB pixels of a picture.

    It is turned upright as its EXIF data say, put on white where it is transparent, and stretched to a square; of an
    animation the first picture is taken.

    Raises:
        UnreadableImageError: it is no picture, is damaged or cut short, or has too many pixels.
        MissingDependencyError: Pillow is not installed.
    """
    try:
        from PIL import Image, ImageOps, UnidentifiedImageError
    except ImportError:
        raise MissingDependencyError("pillow", "train") from None
    if not content:
        raise UnreadableImageError("the file is empty")
    with warnings.catch_warnings():
        # Pillow warns of sizes far beyond photographs, and of harmless faults in EXIF data.
        warnings.simplefilter("ignore")
        try:
            with Image.open(BytesIO(content)) as opened:
                if opened.width * opened.height > MOST_PIXELS:
                    raise UnreadableImageError("it has too many pixels")
                opened.draft("RGB", (2 * size, 2 * size))
                upright = ImageOps.exif_transpose(opened)
                if upright.has_transparency_data:
                    layers = upright.convert("RGBA")
                    white = Image.new("RGBA", layers.size, (255, 255, 255, 255))
                    upright = Image.alpha_composite(white, layers)
                square = upright.convert("RGB").resize((size, size), Image.Resampling.BICUBIC)
                return np.asarray(square, np.uint8)
        except UnreadableImageError:
            raise
        except Image.DecompressionBombError:
            raise UnreadableImageError("it has too many pixels") from None
        except UnidentifiedImageError:
            raise UnreadableImageError("it is not a picture") from None
        except Exception:  # noqa: BLE001 - a damaged file raises whatever its decoder stumbled over
            raise UnreadableImageError("it is damaged") from None
