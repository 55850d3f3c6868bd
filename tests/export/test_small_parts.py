import numpy as np
import pytest
import tensorflow as tf
import typer
from hypothesis import given
from hypothesis import strategies as st

from savor.bundle.edge_manifest import EdgeManifest
from savor.cli.export import _bytes, _pair
from savor.core.errors import BundleError, ExportError
from savor.core.files import write_json_atomic
from savor.export.convert import convert
from savor.export.edge_files import entries
from savor.export.int8_rows import Int8Rows
from savor.export.operators import operators_of, refusal
from savor.export.shared_rows import share
from savor.export.variant import variant

SPEC = {"x": tf.TensorSpec((1, 4), tf.float32, name="x")}


@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-6, 1e-3, 1.0, 300.0]))
def test_8_bit_rows_are_near_and_their_scales_fit_16_bits(seed, size):
    table = np.random.default_rng(seed).standard_normal((7, 5)).astype(np.float32) * np.float32(size)
    table[3] = 0
    rows = Int8Rows.of(table)
    assert np.array_equal(rows.scales, rows.scales.astype(np.float16).astype(np.float32))
    assert (np.abs(rows.floats() - table) <= rows.scales[:, None] * 0.5001).all()
    assert not rows.floats()[3].any()


def test_rows_that_are_multiples_of_items_are_shared():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((40, 8)).astype(np.float32)
    codes = np.arange(3, 43, dtype=np.int32)
    table = np.concatenate([rng.standard_normal((3, 8)), 8 * vectors]).astype(np.float32)
    rows = Int8Rows.of(vectors)
    found = share(table, vectors, rows, codes)
    assert found is not None
    assert found.place.tolist() == [40, 41, 42, *range(40)]
    numbers = np.concatenate([rows.numbers, found.others])
    again = numbers[found.place] * found.scales[:, None]
    assert np.abs(again - table).max() < 0.02 * np.abs(table).max()
    assert share(rng.standard_normal((43, 8)).astype(np.float32), vectors, rows, codes) is None
    assert share(table[:, :7], vectors, rows, codes) is None


def test_operators_of_a_model():
    function = tf.function(lambda x: {"y": tf.nn.relu(x) * 2.0}, autograph=False)
    assert operators_of(convert(function, SPEC, "call", variant("float32"))) == ("MUL", "RELU")


def test_an_operator_that_no_runtime_has_is_named():
    function = tf.function(lambda x: {"y": tf.math.erfinv(x)}, autograph=False)
    with pytest.raises(ExportError, match=r"needs the operator Erfinv\..*retrieval\.activation") as caught:
        convert(function, SPEC, "call", variant("float32"))
    assert caught.value.code == "operator_missing"
    assert refusal("something else went wrong") is None


def test_a_custom_operator_inside_a_model_is_named():
    from ai_edge_litert import schema_py_generated as schema

    from savor.export.tidy_model import _packed

    function = tf.function(lambda x: {"y": tf.nn.relu(x)}, autograph=False)
    model = schema.ModelT.InitFromPackedBuf(bytearray(convert(function, SPEC, "call", variant("float32"))), 0)
    model.operatorCodes[0].builtinCode = schema.BuiltinOperator.CUSTOM
    model.operatorCodes[0].customCode = "FlexLgamma"
    with pytest.raises(ExportError, match="needs the operator Lgamma"):
        operators_of(_packed(model))


def manifest(files) -> EdgeManifest:
    tensor = {"dtype": "int32", "shape": (1, 3)}
    return EdgeManifest.model_validate(
        {
            "format_version": 1,
            "name": "made",
            "bundle": "0" * 16,
            "created": 5,
            "variant": "float32",
            "runtime": {"litert": "2.1.0", "operators": ["ADD"]},
            "number_of_items": 3,
            "k": 3,
            "inputs": {"mask": tensor},
            "outputs": {"items": tensor},
            "files": files,
        }
    )


def test_a_manifest_names_its_content(tmp_path):
    (tmp_path / "model.tflite").write_bytes(b"model")
    made = manifest(entries(tmp_path))
    write_json_atomic(tmp_path / "edge.json", made.document())
    assert EdgeManifest.read(tmp_path) == made
    assert list(made.problems(tmp_path)) == []
    assert made.model_copy(update={"created": 9, "parity": {"loss": 0.1}}).id == made.id
    assert made.model_copy(update={"k": 2}).id != made.id
    (tmp_path / "model.tflite").write_bytes(b"MODEL")
    (tmp_path / "more").write_bytes(b"")
    assert list(made.problems(tmp_path)) == [
        "model.tflite was changed after it was written",
        "more does not belong to it",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 2}, "was changed after it was written"),
        ({"format_version": 9}, "has edge format 9"),
        ({"files": 3}, "is damaged"),
    ],
)
def test_a_changed_manifest_is_refused(tmp_path, change, message):
    write_json_atomic(tmp_path / "edge.json", {**manifest({}).document(), **change})
    with pytest.raises(BundleError, match=message):
        EdgeManifest.read(tmp_path)
    with pytest.raises(BundleError, match="no edge bundle"):
        EdgeManifest.read(tmp_path / "nowhere")


def test_sizes_and_pairs_as_people_write_them():
    sizes = ("900000", "900KB", "1MB", "1.5 MB", "1MiB")
    assert [_bytes(text) for text in sizes] == [900_000, 900_000, 1_000_000, 1_500_000, 1_048_576]
    assert _bytes(None) is None
    assert _pair("store = north=1") == ("store", "north=1")
    for wrong in ("big", "1TB", "-5"):
        with pytest.raises(typer.BadParameter, match="is no size"):
            _bytes(wrong)
    with pytest.raises(typer.BadParameter, match="COLUMN=VALUE"):
        _pair("north")
