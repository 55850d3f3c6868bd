"""Examples of a training, in memory or on disk."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from savor.core.errors import ConfigError
from savor.core.files import directory_atomic
from savor.data.events import Events
from savor.data.histories import Histories
from savor.features.feature_space import FeatureSpace
from savor.training.distribution import is_chief
from savor.training.example_source import ExamplesInMemory, ExampleSource
from savor.training.retrieval_examples import RetrievalExamples
from savor.training.streaming.examples_on_disk import ExamplesOnDisk
from savor.training.streaming.write_examples import write_examples
from savor.training.two_tower_options import TwoTowerOptions

MANY_EVENTS = 20_000_000
"""With more events than this `stream = "auto"` reads examples from disk."""


@contextmanager
def example_source(
    events: Events, space: FeatureSpace, options: TwoTowerOptions, directory: Path, seed: int
) -> Iterator[ExampleSource]:
    """The examples of `events`; those on disk stand in `directory` and are removed after.

    Raises:
        ConfigError: they are to be streamed, and only the latest are wanted.
    """
    retrieval, stream = options.retrieval, options.training.stream
    number_of_users = len(space.user_table["user_id"])
    if stream == "auto":
        stream = len(events) > MANY_EVENTS and retrieval.maximum_examples is None
    if not stream:
        histories = Histories.from_events(events, number_of_users)
        examples = RetrievalExamples.from_events(
            events,
            histories,
            space.number_of_items,
            positives=retrieval.positives,
            maximum=retrieval.maximum_examples,
            weights=options.weights(),
        )
        yield ExamplesInMemory(examples, histories, seed)
        return
    if retrieval.maximum_examples is not None:
        raise ConfigError(["training.stream: the latest examples cannot be picked (retrieval.maximum_examples)"])
    # Workers may share the folder, and each reads its own.
    whose = "" if is_chief(options.training.distribute) else f"-{os.getpid()}"
    folder = directory / f"examples{whose}"
    with directory_atomic(folder) as parts:
        write_examples(
            events,
            parts,
            number_of_users,
            space.number_of_items,
            positives=retrieval.positives,
            weights=options.weights(),
        )
    try:
        yield ExamplesOnDisk(folder, seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
