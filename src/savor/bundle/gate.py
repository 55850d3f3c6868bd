"""Whether one bundle may take the place of another."""

from dataclasses import dataclass
from typing import Any

from savor.bundle.manifest import Gate, Manifest


@dataclass(frozen=True)
class Verdict:
    """What the gate says: `passed`, and `reason` as a sentence with the figures."""

    passed: bool
    reason: str


def judge(candidate: Manifest, live: Manifest | None) -> Verdict:
    """Compare the candidate's gate metric with the live bundle's.

    It fails when the candidate's mean lies below the low end of the live bundle's interval, and when the candidate has
    no figure while the live bundle has one. Figures measured on different splits do not compare, and neither does one
    with a live bundle that has none: those pass, and the reason says so.
    """
    gate = candidate.gate
    name = f"{gate.metric} of {gate.model} on task {gate.task}"
    if live is None:
        return Verdict(True, "no live bundle to compare with")
    if candidate.id == live.id:
        return Verdict(True, "this bundle is live already")
    new, old = _figure(candidate, gate), _figure(live, gate)
    if old is None:
        return Verdict(True, f"not compared: the live bundle has no {name}")
    if new is None:
        return Verdict(False, f"this bundle has no {name}, and the live one has: evaluate it first")
    if candidate.split_hash != live.split_hash:
        return Verdict(True, f"not compared: the live bundle {live.id} was measured on another split")
    figures = f"{name}: {new['mean']:.4f} against {old['mean']:.4f} [{old['low']:.4f}, {old['high']:.4f}] of the live"
    return Verdict(new["mean"] >= old["low"], figures)


def _figure(manifest: Manifest, gate: Gate) -> dict[str, float] | None:
    value: Any = manifest.metrics.get("tasks")
    for key in (gate.task, gate.model, gate.metric):
        value = value.get(key) if isinstance(value, dict) else None
    complete = isinstance(value, dict) and all(
        isinstance(value.get(key), int | float) for key in ("mean", "low", "high")
    )
    return value if complete else None
