from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from savor.features.images.picture import UnreadableImageError, decode_image


def encoded(image: Image.Image, form: str = "PNG", **more) -> bytes:
    out = BytesIO()
    image.save(out, form, **more)
    return out.getvalue()


def test_pixels_are_rgb_of_the_wanted_size():
    for mode, colour in (("RGB", (200, 100, 50)), ("L", 90), ("P", 3), ("CMYK", (0, 0, 0, 0)), ("1", 1)):
        form = "JPEG" if mode == "CMYK" else "PNG"
        pixels = decode_image(encoded(Image.new(mode, (50, 20), colour), form), 16)
        assert pixels.shape == (16, 16, 3)
        assert pixels.dtype == np.uint8
    assert decode_image(encoded(Image.new("RGB", (50, 20), (200, 100, 50))), 16)[3, 4].tolist() == [200, 100, 50]


def test_pictures_are_turned_upright():
    left_red = np.zeros((20, 40, 3), np.uint8)
    left_red[:, :20, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned clockwise: left becomes top
    pixels = decode_image(encoded(Image.fromarray(left_red), exif=exif), 16)
    assert pixels[2, 8, 0] > 250
    assert pixels[13, 8, 0] < 5


def test_what_is_transparent_is_white():
    pixels = decode_image(encoded(Image.new("RGBA", (9, 9), (255, 0, 0, 0))), 8)
    assert (pixels == 255).all()
    grey = Image.new("LA", (9, 9), (0, 255))
    assert (decode_image(encoded(grey), 8) == 0).all()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"not a picture", "not a picture"),
        (b"<svg/>", "not a picture"),
        (encoded(Image.effect_noise((64, 64), 50).convert("RGB"), "JPEG")[:600], "damaged"),
        (encoded(Image.effect_noise((64, 64), 50))[:900], "damaged"),
    ],
)
def test_unusable_content_says_why(content, reason):
    with pytest.raises(UnreadableImageError, match=reason):
        decode_image(content, 8)


def test_huge_pictures_are_not_unpacked():
    head = encoded(Image.new("1", (20_000, 6_000)))
    with pytest.raises(UnreadableImageError, match="too many pixels"):
        decode_image(head, 8)
