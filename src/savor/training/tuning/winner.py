"""The best settings as a configuration that can be compared with the one that is."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from itertools import count
from pathlib import Path
from typing import Any

from savor.core.config import Section, parse_config
from savor.core.files import write_text_atomic
from savor.training.tuning.configuration_key import get_value
from savor.training.tuning.toml_edit import edit_toml

TUNED = "savor.tuned.toml"


@dataclass(frozen=True)
class Winner:
    """A configuration with the best settings in it.

    Attributes:
        path: of the configuration as it is.
        before, after: its text, and that with the settings.
    """

    path: Path
    before: str
    after: str

    @classmethod
    def of(cls, path: Path, changes: Mapping[str, Any], kind: type[Section]) -> "Winner":
        """The configuration in `path` with `changes` by dotted key; those that change nothing leave no trace.

        Raises:
            ConfigError: the file cannot be edited, or has changed so that the settings do not fit it any more.
        """
        before = path.read_text(encoding="utf-8")
        present = parse_config(before, kind, source=path.name).model_dump(mode="json")
        effective = {key: value for key, value in changes.items() if _plain(value) != get_value(present, key)}
        after = edit_toml(before, {key: _plain(value) for key, value in effective.items()})
        parse_config(after, kind, source=TUNED)
        return cls(path, before, after)

    @property
    def changed(self) -> bool:
        """Whether it is another configuration at all."""
        return tomllib.loads(self.before) != tomllib.loads(self.after)

    def difference(self) -> str:
        """A unified diff; empty where nothing changed."""
        lines = unified_diff(
            self.before.splitlines(keepends=True), self.after.splitlines(keepends=True), self.path.name, TUNED, n=1
        )
        return "".join(line if line.endswith("\n") else line + "\n" for line in lines)

    def write_beside(self) -> Path:
        """Write it beside the configuration; gives its path."""
        beside = self.path.with_name(TUNED)
        write_text_atomic(beside, self.after)
        return beside

    def take_over(self) -> Path:
        """Put it in the place of the configuration; gives the path of the copy that is kept of the old one."""
        kept = next(
            candidate
            for number in count(1)
            if not (candidate := self.path.with_name(f"{self.path.name}.before-tuning-{number}")).exists()
        )
        write_text_atomic(kept, self.before)
        write_text_atomic(self.path, self.after)
        return kept


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
