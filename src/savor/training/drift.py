"""The distributions that a bundle goes out with, against which servers hold what they see."""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from savor.bundle.manifest import Metadata
from savor.bundle.writer import write_bundle
from savor.core.clock import frozen_clock
from savor.core.native_output import native_output_hidden
from savor.data.dataset import Dataset
from savor.online.drift.reference import DriftReference
from savor.pipeline.build import build_serving
from savor.pipeline.options import PipelineOptions
from savor.pipeline.query import Query
from savor.pipeline.served_values import drift_reference

REQUESTS = 400
"""Of how many users' requests the reference is made."""

RECENT_EVENTS = 20_000
FILE = "drift.json"


def write_drift(
    parts: Path, dataset: Dataset, metadata: Metadata, pipeline: PipelineOptions, now: int, seed: int
) -> DriftReference:
    """Let the bundle in `parts` answer some of those who came last, and write `drift.json` beside its files.

    Args:
        parts: the files of a bundle.
        dataset: what it is of; those who come often in its last events are asked for more readily.
        metadata: of the bundle.
        pipeline: how it answers.
        now: the moment the requests are for, UTC seconds.
        seed: of the choice of users.

    Raises:
        PipelineError: a stage failed.
    """
    last = np.argsort(dataset.events.time, kind="stable")[-RECENT_EVENTS:]
    users = np.random.default_rng(seed).permutation(dataset.events.user[last])
    _, first = np.unique(users, return_index=True)
    chosen = users[np.sort(first)[:REQUESTS]]
    with TemporaryDirectory(prefix=".drift-", dir=parts.parent) as folder, native_output_hidden():
        serving = build_serving(write_bundle(parts, metadata, Path(folder)), pipeline, frozen_clock(now))
        queries = [Query(dataset.user_ids[user], now) for user in chosen.tolist()]
        reference = drift_reference(serving, queries)
    reference.save(parts / FILE)
    return reference
