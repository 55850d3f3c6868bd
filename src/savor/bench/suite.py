"""Where benchmarks, their log and their results are."""

from dataclasses import dataclass
from pathlib import Path

from savor.core.errors import DataError


@dataclass(frozen=True)
class Suite:
    """The `benchmarks/` folder below `root`, and where runs keep their files."""

    root: Path

    @property
    def quality(self) -> Path:
        """One TOML file for each benchmark."""
        return self.root / "benchmarks" / "quality"

    @property
    def log(self) -> Path:
        """Every run, newest last."""
        return self.root / "benchmarks" / "LOG.md"

    @property
    def results(self) -> Path:
        """The latest run of each model, generated from the log."""
        return self.root / "benchmarks" / "RESULTS.md"

    @property
    def work(self) -> Path:
        """Prepared data sets, and the files of runs."""
        return self.root / ".savor" / "bench"

    @property
    def answers(self) -> Path:
        """What finished trainings answered."""
        return self.work / "answers"

    def names(self) -> list[str]:
        """Names of all benchmarks, sorted."""
        return sorted(path.stem for path in self.quality.glob("*.toml"))

    def find(self, name: str) -> Path:
        """The file of a benchmark, by its name or its path.

        Raises:
            DataError: there is none; the message lists those there are.
        """
        path = self.quality / f"{name}.toml"
        if path.is_file():
            return path
        if name.endswith(".toml") and Path(name).is_file():
            return Path(name)
        known = self.names()
        there = f"there are: {', '.join(known)}" if known else f"there is no {self.quality}; give the checkout with -C"
        raise DataError(f"no benchmark is called {name!r}; {there}")
