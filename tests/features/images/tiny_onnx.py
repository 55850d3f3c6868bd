"""A very small ONNX model, written by hand: its vectors are the mean colours of a picture."""

from pathlib import Path


def _number(value: int) -> bytes:
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    return bytes([*encoded, value])


def _field(number: int, value: bytes | str | int) -> bytes:
    """One field of a protocol-buffer message."""
    if isinstance(value, int):
        return _number(number << 3) + _number(value)
    content = value.encode() if isinstance(value, str) else value
    return _number(number << 3 | 2) + _number(len(content)) + content


def _tensor(name: str, shape: list[int | str]) -> bytes:
    dims = b"".join(_field(1, _field(1, one) if isinstance(one, int) else _field(2, one)) for one in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, dims)))


def write_mean_colour(
    path: Path, *, channels_first: bool, size: int | str = 32, batch: int | str = "n", flat: bool = True
) -> Path:
    """Write a model with the input `pixels` and the output `colour`.

    Args:
        path: where to.
        channels_first: layout of the input.
        size: height and width, or a name to leave them open.
        batch: likewise.
        flat: whether the output is (n, 3), or keeps height and width of the input.
    """
    shape = [batch, 3, size, size] if channels_first else [batch, size, size, 3]
    axes = [2, 3] if channels_first else [1, 2]
    if flat:
        attributes = _field(5, _field(1, "axes") + b"".join(_field(8, axis) for axis in axes) + _field(20, 7))
        attributes += _field(5, _field(1, "keepdims") + _field(3, 0) + _field(20, 2))
        node = _field(1, "pixels") + _field(2, "colour") + _field(4, "ReduceMean") + attributes
    else:
        node = _field(1, "pixels") + _field(2, "colour") + _field(4, "Identity")
    graph = _field(1, node) + _field(2, "g") + _field(11, _tensor("pixels", shape))
    graph += _field(12, _tensor("colour", [batch, 3] if flat else shape))
    path.write_bytes(_field(1, 8) + _field(7, graph) + _field(8, _field(2, 13)))
    return path
