"""The text encoder that a configuration names."""

from functools import cache
from pathlib import Path

from savor.features.text.encoder import TextEncoder
from savor.features.text.endpoint_encoder import EndpointEncoder
from savor.features.text.folder import ModelFolder
from savor.features.text.minilm import MiniLMEncoder
from savor.features.text.options import TextEncoderOptions
from savor.features.text.sentence_encoder import SentenceEncoder

EncoderChoice = str | TextEncoderOptions | None
"""A folder, or all that can be said; None takes the installed MiniLM."""


def open_text_encoder(
    choice: EncoderChoice, base: Path, *, queries: bool = False, threads: int | None = None
) -> TextEncoder:
    """Open an encoder.

    Args:
        choice: which.
        base: relative folders count from here.
        queries: for what people search for, before which another prefix may go than before texts of items.
        threads: how many strings to encode at a time; None for the number of processors.

    Raises:
        ConfigError: a file is absent, or the model cannot be used.
        MissingDependencyError: a package is needed and not installed.
        SavorError: as `EndpointEncoder`.
    """
    if choice is None:
        return MiniLMEncoder(threads)
    options = TextEncoderOptions(folder=choice) if isinstance(choice, str) else choice
    if options.endpoint is not None:
        return EndpointEncoder(options, queries=queries)
    files = ModelFolder.read(base / str(options.folder), options)
    return _opened(files, threads).before(files.query_prefix if queries else files.document_prefix)


@cache
def _opened(files: ModelFolder, threads: int | None) -> SentenceEncoder:
    """Once in a process, for both roles."""
    return SentenceEncoder(files, threads)
