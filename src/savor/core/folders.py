"""Where the parts of a project are."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProjectFolder:
    """The folders below `root`, where `savor.toml` is."""

    root: Path

    @property
    def configuration(self) -> Path:
        """What the person writes."""
        return self.root / "savor.toml"

    @property
    def dataset(self) -> Path:
        """What ingest writes."""
        return self.root / ".savor" / "dataset"

    @property
    def training(self) -> Path:
        """Checkpoints, logs and trained models."""
        return self.root / ".savor" / "training"

    @property
    def tuning(self) -> Path:
        """What was tried in search of better settings."""
        return self.root / ".savor" / "tuning"

    @property
    def cache(self) -> Path:
        """What can be computed again."""
        return self.root / ".savor" / "cache"

    @property
    def summaries(self) -> Path:
        """What a language model wrote about items."""
        return self.root / ".savor" / "summaries.jsonl"

    @property
    def registry(self) -> Path:
        """The published bundles, and which of them is live."""
        return self.root / ".savor" / "registry"

    @property
    def device(self) -> Path:
        """The releases that devices fetch, and which goes to whom."""
        return self.root / ".savor" / "device"

    @property
    def reports(self) -> Path:
        """What people read."""
        return self.root / "reports"
