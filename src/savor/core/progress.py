"""Telling a person what long work is doing, on a terminal or in a log."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

console = Console(stderr=True, width=None if sys.stderr.isatty() else 120)
"""Where progress and tables for people go; answers for programs go to standard output."""


class Task(Protocol):
    """A piece of long work under way."""

    def advance(self, amount: int = 1, note: str = "") -> None:
        """Say that `amount` more is done; `note` replaces the text beside the bar."""


class _BarTask:
    def __init__(self, progress: Progress, identifier: object) -> None:
        self._progress = progress
        self._identifier = identifier

    def advance(self, amount: int = 1, note: str = "") -> None:
        self._progress.advance(self._identifier, amount)  # type: ignore[arg-type]
        if note:
            self._progress.update(self._identifier, note=note)  # type: ignore[arg-type]


class _LogTask:
    def __init__(self, title: str, total: int | None) -> None:
        self._title, self._total, self._done = title, total, 0
        self._last = monotonic()

    def advance(self, amount: int = 1, note: str = "") -> None:
        self._done += amount
        if monotonic() - self._last >= 10:
            self._last = monotonic()
            of_total = f"/{self._total}" if self._total else ""
            console.print(f"  {self._title}: {self._done}{of_total} {note}".rstrip(), highlight=False)


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Task]:
    """A progress bar on a terminal, a line every ten seconds elsewhere; always ends with the time it took."""
    started = monotonic()
    if console.is_terminal:
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=console, transient=True) as bar:
            yield _BarTask(bar, bar.add_task(title, total=total, note=""))
    else:
        yield _LogTask(title, total)
    console.print(f"✓ {title} [dim]{monotonic() - started:.1f} s[/dim]", highlight=False)
