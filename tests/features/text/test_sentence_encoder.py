import numpy as np
import pytest
from pydantic import ValidationError

from savor.core.errors import ConfigError
from savor.features.text.folder import ModelFolder
from savor.features.text.minilm import MiniLMEncoder
from savor.features.text.open_encoder import open_text_encoder
from savor.features.text.options import TextEncoderOptions
from savor.features.text.sentence_encoder import SentenceEncoder, pooled
from tests.features.text.model_folders import MODULES, write_model_folder

CLS = {"word_embedding_dimension": 384, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}


def test_a_folder_says_how_to_pool_how_long_texts_are_and_what_goes_before_them(tmp_path):
    folder = write_model_folder(
        tmp_path,
        modules=MODULES,
        pooling=CLS,
        sentence_bert_config={"max_seq_length": 16, "do_lower_case": True},
        config_sentence_transformers={"prompts": {"query": "query: ", "passage": "passage: "}},
    )
    read = ModelFolder.read(folder)
    assert read.model == folder / "onnx" / "model.onnx"
    assert (read.pooling, read.maximum_tokens, read.lower) == ("cls", 16, True)
    assert (read.query_prefix, read.document_prefix) == ("query: ", "passage: ")
    chosen = TextEncoderOptions(folder=str(folder), pooling="max", maximum_tokens=32, query_prefix="")
    options = ModelFolder.read(folder, chosen)
    assert (options.pooling, options.maximum_tokens, options.query_prefix) == ("max", 32, "")
    assert options.document_prefix == "passage: "


def test_the_vectors_are_those_of_the_folder(tmp_path):
    plain = MiniLMEncoder(threads=1)
    mean = open_text_encoder(str(write_model_folder(tmp_path / "mean", place="model.onnx")), tmp_path)
    texts = ["semi-skimmed milk", "motor oil"]
    assert np.array_equal(mean.encode(texts), plain.encode(texts))
    assert mean.name != plain.name
    folder = write_model_folder(tmp_path / "cls", modules=MODULES, pooling=CLS)
    first = open_text_encoder("cls", tmp_path)
    assert first.name not in {mean.name, plain.name}
    assert np.linalg.norm(first.encode(texts), axis=1) == pytest.approx(1, abs=1e-5)
    assert not np.allclose(first.encode(texts), plain.encode(texts), atol=0.01)
    assert SentenceEncoder(ModelFolder.read(folder), 1).name == first.name


def test_what_goes_before_a_text_changes_vector_and_name(tmp_path):
    write_model_folder(tmp_path, config_sentence_transformers={"prompts": {"query": "look for: ", "document": ""}})
    items, queries = (open_text_encoder(str(tmp_path), tmp_path, queries=queries) for queries in (False, True))
    assert items.name != queries.name
    assert np.array_equal(queries.encode(["milk"]), items.encode(["look for: milk"]))
    assert not np.allclose(queries.encode(["milk"]), items.encode(["milk"]), atol=0.01)
    assert isinstance(queries, SentenceEncoder)
    assert queries.before("").name == items.name


def test_long_texts_are_cut_where_the_folder_says(tmp_path):
    write_model_folder(tmp_path, sentence_bert_config={"max_seq_length": 8})
    encoder = open_text_encoder(str(tmp_path), tmp_path)
    assert np.array_equal(encoder.encode(["milk " * 6])[0], encoder.encode(["milk " * 60])[0])


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"modules": [*MODULES, {"type": "sentence_transformers.models.Dense", "path": "3_Dense"}]}, "last layer"),
        ({"modules": [{"type": "sentence_transformers.models.CNN", "path": "1"}]}, "CNN"),
        ({"pooling": {"pooling_mode_weightedmean_tokens": True}}, "set `pooling`"),
        ({"pooling": {"pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": True}}, "set `pooling`"),
        ({"modules": {"a": 1}}, "not as sentence-transformers"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path, files, reason):
    folder = write_model_folder(tmp_path, **files)
    with pytest.raises(ConfigError, match=reason):
        SentenceEncoder(ModelFolder.read(folder), 1)


def test_absent_and_damaged_files_are_said(tmp_path):
    with pytest.raises(ConfigError, match=r"model\.onnx is absent[\s\S]*tokenizer\.json is absent"):
        ModelFolder.read(tmp_path)
    (tmp_path / "model.onnx").write_text("words")
    (tmp_path / "tokenizer.json").write_text("words")
    with pytest.raises(ConfigError, match="cannot be opened"):
        open_text_encoder(str(tmp_path), tmp_path)


def test_pooling():
    tokens = np.asarray([[1, 8], [3, 2], [5, 5]], np.float32)
    assert {kind: pooled(tokens, kind).tolist() for kind in ("mean", "cls", "max", "last")} == {
        "mean": [3, 5], "cls": [1, 8], "max": [5, 8], "last": [5, 5]
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong",
    [{}, {"folder": "a", "endpoint": "http://x"}, {"endpoint": "http://x"}, {"endpoint": "ftp://x", "model": "m"},
     {"endpoint": "http://me:secret@x", "model": "m"}],
)  # fmt: skip
def test_options_take_a_folder_or_an_endpoint(wrong):
    with pytest.raises(ValidationError):
        TextEncoderOptions.model_validate(wrong)


def test_which_endpoints_are_other_machines():
    def options(address: str, **more: bool) -> TextEncoderOptions:
        return TextEncoderOptions(endpoint=address, model="m", **more)

    assert not options("http://127.0.0.1:1234/v1").remote
    assert not options("http://localhost/v1").remote
    assert options("https://localhost.example.org/v1").remote
    assert options("http://10.0.0.3/v1").remote
    assert not options("http://10.0.0.3/v1").personal
    assert options("http://10.0.0.3/v1", send_personal=True).personal
