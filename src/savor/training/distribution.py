"""Several devices or machines for one training."""

import json
import os
from typing import Any, Literal

from savor.core.errors import ConfigError

Distribution = Literal["none", "mirrored", "multiworker"]


def open_strategy(distribution: Distribution) -> Any | None:
    """The `tf.distribute.Strategy`; None for a single device. Must come before anything else of TensorFlow is used.

    Raises:
        ConfigError: `multiworker` without a TF_CONFIG that names this process and the others.
    """
    import tensorflow as tf

    match distribution:
        case "none":
            return None
        case "mirrored":
            kind = "GPU" if tf.config.list_logical_devices("GPU") else "CPU"
            return tf.distribute.MirroredStrategy([device.name for device in tf.config.list_logical_devices(kind)])
        case "multiworker":
            _task()
            return tf.distribute.MultiWorkerMirroredStrategy()


def is_chief(distribution: Distribution) -> bool:
    """Whether this process writes the files: the only one, or the chief, or where there is no chief worker 0.

    Raises:
        ConfigError: see `open_strategy`.
    """
    if distribution != "multiworker":
        return True
    cluster, kind, index = _task()
    return kind == "chief" or (kind == "worker" and index == 0 and not cluster.get("chief"))


def _task() -> tuple[dict[str, list[str]], str, int]:
    """The cluster, and the kind and number of this process in it."""
    try:
        config = json.loads(os.environ["TF_CONFIG"])
        cluster, task = config["cluster"], config["task"]
        kind, index = str(task["type"]), int(task["index"])
        cluster[kind][index]
    except (KeyError, IndexError, ValueError, TypeError) as error:
        example = '{"cluster": {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}'
        problem = f"such as {example} ({type(error).__name__}: {error})"
        raise ConfigError(
            [f"training.distribute: multiworker needs TF_CONFIG in the environment of each process, {problem}"]
        ) from None
    return cluster, kind, index
