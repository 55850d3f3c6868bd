import numpy as np
import tensorflow as tf

from savor.training.litert_export import random_inputs
from savor.training.network_files import OUTPUT, SIGNATURE, save_network
from savor.training.towers import build_tower
from savor.training.trained_towers import TrainedTowers
from tests.training.small_training import OPTIONS, small_space


def files(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_kept_network_gives_the_same_without_its_code(tmp_path):
    space, _ = small_space()
    network = build_tower("user", space.user_signature, OPTIONS, 5)
    save_network(network, tmp_path / "one")
    assert "fingerprint.pb" not in files(tmp_path / "one")
    signature = tf.saved_model.load(str(tmp_path / "one")).signatures[SIGNATURE]
    for rows in (1, 9):
        inputs = random_inputs(space.user_signature, rows, rows)
        found = signature(**{name: tf.constant(inputs[name]) for name in network.input})[OUTPUT]
        assert np.allclose(found.numpy(), network.predict_on_batch(inputs), atol=1e-5)


def test_both_towers_are_kept_beside_their_files(tmp_path):
    space, _ = small_space()
    user, item = (
        build_tower(side, getattr(space, f"{side}_signature"), OPTIONS, seed)
        for seed, side in enumerate(("user", "item"))
    )
    TrainedTowers(user, item, space, [], "recall").export(tmp_path)
    assert {"networks/user/saved_model.pb", "networks/item/saved_model.pb", "user.tflite"} <= files(tmp_path).keys()
