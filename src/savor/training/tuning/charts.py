"""Plots of a search as inline SVG that take their colours from the page."""

from collections.abc import Sequence
from html import escape

from savor.training.tuning.results import TrialResult

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 260, 58, 14, 14, 34


def history_chart(results: Sequence[TrialResult], metric: str) -> str:
    """A dot for every trial that came to its end, and the best so far as a line; early ends stand at the bottom."""
    finished = [(one.number, one.value) for one in results if one.value is not None]
    if not finished:
        return ""
    last = max(one.number for one in results)
    low, high = _bounds([value for _, value in finished])

    def place(number: float, value: float) -> tuple[float, float]:
        across = LEFT + 8 + number / max(last, 1) * (WIDTH - LEFT - RIGHT - 16)
        return across, TOP + (high - value) / (high - low) * (HEIGHT - TOP - BOTTOM - 12)

    parts = [_line(place(0, tick)[1], tick) for tick in (low, (low + high) / 2, high)]
    best, corners = None, []
    for number, value in finished:
        if best is None or value > best:
            if best is not None:
                corners.append(place(number, best))
            corners.append(place(number, value))
            best = value
    assert best is not None
    corners.append(place(last, best))
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    parts.append(f'<polyline class="curve" points="{points}"/>')
    for one in results:
        if one.value is not None:
            x, y = place(one.number, one.value)
            style = "dot" if one.present else "bar"
            said = "the present settings" if one.present else f"trial {one.number}"
            title = f"<title>{said}: {one.value:.4f}</title>"
            parts.append(f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="4">{title}</circle>')
        elif one.state in ("pruned", "fail"):
            x, _ = place(one.number, low)
            y = HEIGHT - BOTTOM
            parts.append(
                f'<path class="whisker" d="M{x - 3:.1f} {y - 3}l6 6m0 -6l-6 6"><title>trial {one.number}: '
                f"{escape(one.state)}; {escape(one.reason)}</title></path>"
            )
    for number in dict.fromkeys((0, last)):
        x, _ = place(number, low)
        parts.append(f'<text class="tick" x="{x:.1f}" y="{HEIGHT - 14}" text-anchor="middle">{number}</text>')
    parts.append(f'<text class="tick" x="{WIDTH / 2}" y="{HEIGHT - 4}" text-anchor="middle">trial</text>')
    return _svg(WIDTH, HEIGHT, f"{metric} by trial", parts)


def slice_chart(key: str, pairs: Sequence[tuple[object, float]], *, log: bool, metric: str) -> str:
    """The metric against one setting, a dot for every trial.

    Args:
        key: the setting.
        pairs: its value and the metric, of trials that came to their end.
        log: whether numbers are spread by factors.
        metric: what the metric is called.
    """
    from math import log10

    width, height, left, right, top, bottom = 300, 170, 50, 14, 10, 32
    numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value, _ in pairs)
    names: list[str] = []
    if numeric:
        xs = [log10(float(value)) if log and float(value) > 0 else float(value) for value, _ in pairs]  # type: ignore[arg-type]
        ends = sorted({float(value) for value, _ in pairs})  # type: ignore[arg-type]
        labels = [(min(xs), f"{ends[0]:g}"), (max(xs), f"{ends[-1]:g}")] if len(ends) > 1 else [(xs[0], f"{ends[0]:g}")]
    else:
        names = sorted({str(value) for value, _ in pairs})
        xs = [float(names.index(str(value))) for value, _ in pairs]
        labels = [(float(place), name) for place, name in enumerate(names)]
    low, high = _bounds([value for _, value in pairs])
    start, span = min(xs), (max(xs) - min(xs)) or 1.0

    def across(x: float) -> float:
        inset = 30 if names else 10
        return left + inset + (x - start) / span * (width - left - right - 2 * inset)

    parts = []
    for tick in (low, high):
        y = top + (high - tick) / (high - low) * (height - top - bottom)
        parts.append(
            f'<line class="grid" x1="{left}" x2="{width - right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{tick:.3f}</text>'
        )
    for x, (value, found) in zip(xs, pairs, strict=True):
        y = top + (high - found) / (high - low) * (height - top - bottom)
        parts.append(
            f'<circle class="dot" cx="{across(x):.1f}" cy="{y:.1f}" r="3.5" opacity="0.7">'
            f"<title>{escape(str(value))}: {found:.4f}</title></circle>"
        )
    parts += [
        f'<text class="tick" x="{across(x):.1f}" y="{height - 14}" text-anchor="middle">{escape(name)}</text>'
        for x, name in labels
    ]
    return _svg(width, height, f"{metric} against {key}", parts)


def _bounds(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = (high - low) * 0.05 or abs(high) * 0.05 or 0.05
    return low - room, high + room


def _line(y: float, tick: float) -> str:
    return (
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="tick" x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:.3f}</text>'
    )


def _svg(width: int, height: int, label: str, parts: Sequence[str]) -> str:
    opening = f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label, quote=True)}">'
    return opening + "".join(parts) + "</svg>"
