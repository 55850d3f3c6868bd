"""A training of seconds on one device, two devices or two processes; run as a module it prints its losses."""

import json
import sys
from pathlib import Path
from typing import Any

import tensorflow as tf

from savor.training import tower_optimizer
from savor.training.negatives.options import NegativeOptions
from savor.training.training_options import TrainingOptions
from tests.features.synthetic import shop
from tests.training.small_training import OPTIONS, small_space


def losses(directory: Path, distribute: Any) -> dict[str, Any]:
    """Loss and metric of each of two passes, with batches and catalogues that do not divide evenly."""
    from savor.training.retrieval_loop import train_retrieval

    space, validation = small_space()
    # So that the small tables take the way of large ones.
    tower_optimizer.LARGE_TABLE = 30
    trained = train_retrieval(
        shop()[0].select(slice(0, 700)),
        space,
        OPTIONS.model_copy(update={"epochs": 2, "batch_size": 101}),
        directory,
        validation=validation,
        seed=3,
        negatives=NegativeOptions(uniform=3, similar_text=2, similar_embedding=1, refresh_steps=4),
        training=TrainingOptions(distribute=distribute),
    )
    metrics = [[entry["loss"], entry[trained.metric]] for entry in trained.history]
    return {"metrics": metrics, "vectors": float(abs(trained.item_vectors()).sum()), "files": sorted(
        str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()
    )}  # fmt: skip


if __name__ == "__main__":
    if sys.argv[2] == "mirrored":
        processor = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(processor, [tf.config.LogicalDeviceConfiguration()] * 2)
    print(json.dumps(losses(Path(sys.argv[1]), sys.argv[2])))
