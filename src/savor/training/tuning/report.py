"""What a search found, for people: a page, and tables for the terminal."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files

from rich.table import Table

from savor.evaluation.charts import interval_chart
from savor.training.tuning.charts import history_chart, slice_chart
from savor.training.tuning.results import TrialResult, best_of
from savor.training.tuning.space import Space

SHOWN = 8


def render_page(
    results: Sequence[TrialResult],
    shares: Mapping[str, float],
    space: Space,
    *,
    title: str,
    metric: str,
    difference: str,
) -> str:
    """The whole page, which fetches nothing.

    Args:
        results: every trial.
        shares: importance by key.
        space: what was searched.
        title: what stands above it.
        metric: what was measured.
        difference: of the winner's configuration to the present one, as a unified diff.
    """
    style = files("savor.evaluation").joinpath("report.css").read_text(encoding="utf-8")
    best = best_of(list(results))
    counts = {state: sum(one.state == state for one in results) for state in ("complete", "pruned", "fail", "running")}
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    importance = interval_chart(
        [(key.split(".", 1)[-1], {"mean": share, "low": None, "high": None}) for key, share in shares.items()],
        label="importance of each setting",
    )
    slices = "".join(
        f'<div class="card"><h3>{escape(key)}</h3>'
        f"{slice_chart(key, pairs, log=space.dimensions[key].log, metric=metric)}</div>"
        for key in _by_share(space, shares)
        if len(pairs := _pairs(key, results)) > 1
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head><body><main><h1>{escape(title)}</h1>"
        f"<p>{escape(metric)} on validation, more is better. Trials: {said}.</p>"
        f'<div class="card"><h3>{escape(metric)} by trial</h3>{history_chart(results, metric)}'
        "<p>Grey: a trial; in colour: the present settings, and the best so far as a line; crosses: ended early or "
        "failed.</p></div>"
        + (f'<h2>The best settings</h2><div class="card"><pre>{escape(difference)}</pre></div>' if difference else "")
        + (
            "<h2>What mattered</h2><p>Share of the spread between the finished trials that each setting explains by "
            "itself, less what chance would (ε²). Few trials say little, and settings that went together share what "
            f'either did.</p><div class="card">{importance}</div>'
            if shares
            else ""
        )
        + (f'<div class="many three">{slices}</div>' if slices else "")
        + f"<h2>Trials</h2>{_table(results, best)}</main></body></html>\n"
    )


def trial_table(results: Sequence[TrialResult], metric: str) -> Table:
    """The best trials and the present settings, for the terminal."""
    table = Table(title=f"Best of {len(results)} trials", title_justify="left", highlight=False)
    for name, justify in (
        ("trial", "right"),
        (metric, "right"),
        ("s", "right"),
        ("passes", "right"),
        ("settings", "left"),
    ):
        table.add_column(name, justify=justify, overflow="fold")  # type: ignore[arg-type]
    ranked = _ranked(results)
    shown = ranked[:SHOWN] + [one for one in ranked[SHOWN:] if one.present]
    for one in shown:
        style = "bold" if one is ranked[0] else ""
        table.add_row(
            str(one.number),
            f"{one.value:.4f}",
            f"{one.seconds or 0:.0f}",
            str(one.passes or ""),
            _settings(one),
            style=style,
        )
    return table


def importance_table(shares: Mapping[str, float]) -> Table:
    """What mattered, for the terminal."""
    table = Table(title="What mattered", title_justify="left", highlight=False)
    table.add_column("setting")
    table.add_column("share", justify="right")
    for key, share in shares.items():
        table.add_row(key, f"{share:.2f} {'▇' * round(20 * share)}")
    return table


def trial_line(one: TrialResult, best: TrialResult | None, metric: str) -> str:
    """What is said when a trial has ended."""
    found = f"{metric} {one.value:.4f}" if one.value is not None else f"{one.state}: {one.reason or 'no reason given'}"
    so_far = f" (best {best.value:.4f}, trial {best.number})" if best is not None and best.number != one.number else ""
    return f"  trial {one.number}: {found}{so_far} {one.seconds or 0:.0f} s  {_settings(one)}"


def _settings(one: TrialResult) -> str:
    if one.present:
        return "the present settings"
    return " ".join(f"{key.split('.', 1)[-1]}={value}" for key, value in one.changes.items())


def _ranked(results: Sequence[TrialResult]) -> list[TrialResult]:
    finished = [one for one in results if one.value is not None]
    return sorted(finished, key=lambda one: (-(one.value or 0.0), one.number))


def _pairs(key: str, results: Sequence[TrialResult]) -> list[tuple[object, float]]:
    return [(one.changes[key], one.value) for one in results if one.value is not None and key in one.changes]


def _by_share(space: Space, shares: Mapping[str, float]) -> list[str]:
    return sorted(space.dimensions, key=lambda key: -shares.get(key, 0.0))


def _table(results: Sequence[TrialResult], best: TrialResult | None) -> str:
    rows = []
    others = [one for one in results if one.value is None]
    for one in [*_ranked(results), *others]:
        value = f"{one.value:.4f}" if one.value is not None else escape(one.state)
        style = ' class="best"' if one is best or (best is not None and one.number == best.number) else ""
        about = _settings(one) + (f" — {one.reason}" if one.reason else "")
        rows.append(
            f"<tr><td>{one.number}</td><td{style}>{value}</td><td>{one.seconds or 0:.0f}</td>"
            f"<td>{one.passes or ''}</td>"
            f'<td style="text-align:left;white-space:normal">{escape(about)}</td></tr>'
        )
    return (
        '<div class="card scroll"><table><thead><tr><th>trial</th><th>value</th><th>seconds</th><th>passes</th>'
        f'<th style="text-align:left">settings</th></tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )
