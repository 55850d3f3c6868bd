from pathlib import Path
from typing import Any


class SilentTracker:
    """Keeps nothing but how the training ended."""

    def __init__(self) -> None:
        self.completed: bool | None = None

    def parameters(self, values: Any) -> None: ...

    def scalars(self, values: Any, step: int) -> None: ...

    def artifact(self, path: Path) -> None: ...

    def finish(self, summary: Any, *, completed: bool = True) -> None:
        self.completed = completed
