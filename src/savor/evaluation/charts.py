"""Plots as inline SVG that take their colours from the page."""

from collections.abc import Mapping, Sequence
from html import escape
from math import floor, log10
from typing import Any


def interval_chart(rows: Sequence[tuple[str, Mapping[str, float | None]]], *, label: str, highlight: str = "") -> str:
    """Horizontal bars with 95% intervals.

    Args:
        rows: model names with `mean`, `low`, `high`, from top to bottom.
        label: what is measured, read out to people who cannot see the plot.
        highlight: the model drawn in the accent colour.
    """
    left, width, step = 136, 470, 26
    height = step * len(rows) + 30
    top = max([max(value["high"] or 0, value["mean"] or 0) for _, value in rows] or [0]) or 1.0
    ticks = _ticks(0, top)
    scale = (width - left - 60) / max(ticks[-1], top)
    parts = [
        f'<line class="grid" x1="{left + tick * scale:.1f}" x2="{left + tick * scale:.1f}" y1="4" y2="{height - 24}"/>'
        f'<text class="tick" x="{left + tick * scale:.1f}" y="{height - 8}" text-anchor="middle">{tick:g}</text>'
        for tick in ticks
    ]
    for number, (name, value) in enumerate(rows):
        mean, low, high = value["mean"], value["low"], value["high"]
        y = 4 + step * number
        middle = y + step / 2
        parts.append(f'<text x="{left - 10}" y="{middle + 4:.1f}" text-anchor="end">{escape(name)}</text>')
        if mean is None:
            continue
        style = "bar accent" if name == highlight else "bar"
        end = left + mean * scale
        parts.append(
            f'<rect class="{style}" x="{left}" y="{y + 5}" width="{mean * scale:.1f}" height="{step - 10}" rx="2"/>'
        )
        if low is not None and high is not None:
            from_x, to_x = left + low * scale, left + high * scale
            end = to_x
            parts.append(
                f'<path class="whisker" d="M{from_x:.1f} {middle - 4}v8M{to_x:.1f} {middle - 4}v8'
                f'M{from_x:.1f} {middle}H{to_x:.1f}"/>'
            )
        parts.append(f'<text class="value" x="{end + 6:.1f}" y="{middle + 4:.1f}">{mean:.3f}</text>')
    return _svg(width, height, label, parts)


def line_chart(points: Sequence[tuple[float, float]], *, label: str, x_label: str) -> str:
    """One curve.

    Args:
        points: x and y, x rising.
        label: what y is.
        x_label: what x is.
    """
    left, right, top, bottom, width, height = 56, 12, 10, 34, 400, 220
    xs, ys = [x for x, _ in points], [y for _, y in points]
    ticks = _ticks(min(ys), max(ys))
    low, high = min(ticks[0], min(ys)), max(ticks[-1], max(ys))
    x_span = (max(xs) - min(xs)) or 1.0
    y_span = (high - low) or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        across = left + (x - min(xs)) / x_span * (width - left - right)
        return across, top + (high - y) / y_span * (height - top - bottom)

    parts = []
    for tick in ticks:
        _, y = place(min(xs), tick)
        parts.append(
            f'<line class="grid" x1="{left}" x2="{width - right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{_short(tick)}</text>'
        )
    for x in dict.fromkeys((min(xs), max(xs))):
        across, _ = place(x, low)
        anchor = "start" if x == min(xs) else "end"
        parts.append(f'<text class="tick" x="{across:.1f}" y="{height - 18}" text-anchor="{anchor}">{x:g}</text>')
    parts.append(
        f'<text class="tick" x="{(left + width - right) / 2}" y="{height - 4}" text-anchor="middle">'
        f"{escape(x_label)}</text>"
    )
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in points))
    parts.append(f'<polyline class="curve" points="{path}"/>')
    if len(points) <= 60:
        parts += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in (place(*p) for p in points)]
    return _svg(width, height, label, parts)


def decile_chart(shares: Sequence[float], *, label: str, highlighted: bool = False) -> str:
    """Ten columns: the share of places that each tenth of the catalogue has, most popular first.

    Args:
        shares: ten numbers from 0 to 1.
        label: whose they are.
        highlighted: draw in the accent colour.
    """
    width, height, base, top = 230, 130, 104, 16
    step = (width - 16) / 10
    style = "bar accent" if highlighted else "bar"
    parts = [f'<line class="axis" x1="8" x2="{width - 8}" y1="{base}" y2="{base}"/>']
    for number, share in enumerate(shares):
        x, tall = 8 + step * number, share * (base - top)
        parts.append(
            f'<rect class="{style}" x="{x + 2:.1f}" y="{base - tall:.1f}" width="{step - 4:.1f}" '
            f'height="{tall:.1f}" rx="1.5"/>'
        )
        if share >= 0.005:
            parts.append(
                f'<text class="tick" x="{x + step / 2:.1f}" y="{base - tall - 4:.1f}" '
                f'text-anchor="middle">{share:.0%}</text>'
            )
    parts.append(f'<text class="tick" x="8" y="{base + 16}">most popular tenth</text>')
    parts.append(f'<text class="tick" x="{width - 8}" y="{base + 16}" text-anchor="end">least</text>')
    return _svg(width, height, label, parts)


def _svg(width: int, height: int, label: str, parts: Sequence[Any]) -> str:
    opening = f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label, quote=True)}">'
    return opening + "".join(parts) + "</svg>"


def _short(value: float) -> str:
    return f"{value / 1000:g}k" if abs(value) >= 10_000 else f"{value:g}"


def _ticks(low: float, high: float) -> list[float]:
    """About five round numbers that reach from `low` to `high` at least."""
    span = high - low or abs(high) or 1.0
    power = 10.0 ** floor(log10(span / 4))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if span / (factor * power) <= 5)
    first = floor(low / step + 1e-9)
    ticks = [round(first * step, 12)]
    while ticks[-1] < high - 1e-12:
        first += 1
        ticks.append(round(first * step, 12))
    return ticks
