"""The one family of errors that Savor raises on purpose."""

from collections.abc import Sequence


class SavorError(Exception):
    """Something a person can act on: says what was expected, what came and what to do.

    Args:
        message: One or two sentences for the person who runs Savor.
        code: A stable machine-readable name, used by the HTTP problem documents.
    """

    code = "savor_error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class ConfigError(SavorError):
    """The configuration cannot be used; carries every problem found, not only the first."""

    code = "config_invalid"

    def __init__(self, problems: Sequence[str], *, source: str = "savor.toml") -> None:
        self.problems = tuple(problems)
        count = len(self.problems)
        heading = f"{source}: {count} problem{'s' if count != 1 else ''}"
        super().__init__("\n".join([heading, *(f"  - {problem}" for problem in self.problems)]))


class DataError(SavorError):
    """A table cannot be read, or too many of its rows are bad."""

    code = "data_invalid"


class BundleError(SavorError):
    """A bundle is missing, damaged, or of a format this version cannot read."""

    code = "bundle_invalid"


class TrainingError(SavorError):
    """Training cannot go on with what it was given."""

    code = "training_failed"


class ExportError(SavorError):
    """No edge bundle can be made: of this bundle, within these bounds, or as good as the server."""

    code = "export_failed"


class PipelineError(SavorError):
    """A pipeline is wired wrongly, or a stage that must not fail has failed."""

    code = "pipeline_invalid"


class MissingDependencyError(SavorError):
    """An optional part is needed and not installed; names the extra that brings it."""

    code = "dependency_missing"

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is needed for this and is not installed. Install it with: pip install 'savor[{extra}]'"
        )
