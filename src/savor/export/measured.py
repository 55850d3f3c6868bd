"""What each variant costs and loses, and the choice among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from savor.core.errors import ExportError
from savor.export.edge_run import Latency
from savor.export.parity import Bounds, Parity
from savor.export.server_lists import Lists
from savor.export.variant import Variant


@dataclass(frozen=True)
class Measured:
    """One variant, made and tried.

    Attributes:
        variant: how it stores numbers.
        model: the `.tflite` file.
        size: bytes of the whole edge bundle with it.
        parity: with the server.
        latency: of a call.
        lists: its answers.
        operators: that it needs.
    """

    variant: Variant
    model: bytes
    size: int
    parity: Parity
    latency: Latency
    lists: Lists
    operators: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Everything but the model and the answers, as a JSON value."""
        return {
            "variant": self.variant.name,
            "description": self.variant.description,
            "model_bytes": len(self.model),
            "bundle_bytes": self.size,
            "latency_ms": self.latency.to_json(),
            **self.parity.to_json(),
        }


def choose(measured: Sequence[Measured], bounds: Bounds, maximum_size: int | None) -> Measured:
    """The smallest that is as good as the server within `bounds`, of at most `maximum_size` bytes.

    Raises:
        ExportError: none is; says of each why (code `no_variant_fits`).
    """
    reasons, fitting = [], []
    for one in measured:
        problem = one.parity.problem(bounds)
        if problem is None and maximum_size is not None and one.size > maximum_size:
            problem = f"it has {one.size:,} bytes, and {maximum_size:,} are allowed"
        if problem is None:
            fitting.append(one)
        else:
            reasons.append(f"{one.variant.name}: {problem}")
    if fitting:
        return min(fitting, key=lambda one: (one.size, one.parity.loss.mean))
    listed = "\n".join(f"  - {reason}" for reason in reasons)
    raise ExportError(
        f"no variant fits:\n{listed}\nAllow more with --max-size or --max-loss, or export fewer items with --items",
        code="no_variant_fits",
    )
