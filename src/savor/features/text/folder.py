"""What a folder says of a sentence-transformers model."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from savor.core.errors import ConfigError
from savor.features.text.options import Pooling, TextEncoderOptions

MAXIMUM_TOKENS = 128
_PLACES = ("model.onnx", "onnx/model.onnx")
_FLAGS: dict[str, Pooling] = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
    "pooling_mode_lasttoken": "last",
}
_NAMES: dict[str, Pooling] = {"lasttoken": "last", **{name: name for name in get_args(Pooling)}}


@dataclass(frozen=True)
class ModelFolder:
    """Files and settings of a model.

    Attributes:
        model: the ONNX file.
        tokenizer: `tokenizer.json`.
        pooling: how tokens become one vector, where the model itself does not say it in its output.
        maximum_tokens: longer texts are cut.
        lower: whether texts are written small first.
        document_prefix, query_prefix: go before texts.
        dense: whether a layer follows that only an output `sentence_embedding` has in it.
    """

    model: Path
    tokenizer: Path
    pooling: Pooling = "mean"
    maximum_tokens: int = MAXIMUM_TOKENS
    lower: bool = False
    document_prefix: str = ""
    query_prefix: str = ""
    dense: bool = False

    @classmethod
    def read(cls, directory: Path, options: TextEncoderOptions | None = None) -> "ModelFolder":
        """Read a folder; `options` go before what it says.

        Raises:
            ConfigError: files are absent, or it says what cannot be done here.
        """
        names = (options.file,) if options is not None and options.file is not None else _PLACES
        found = [directory / name for name in names if (directory / name).is_file()]
        tokenizer = directory / "tokenizer.json"
        problems = [] if found else [f"text encoder: {directory / names[0]} is absent"]
        if not tokenizer.is_file():
            problems.append(f"text encoder: {tokenizer} is absent")
        modules = {
            module["type"].rsplit(".", 1)[-1]: str(module.get("path", ""))
            for module in _read(directory / "modules.json", [])
        }
        sentence = _read(directory / "sentence_bert_config.json", {})
        prompts = _read(directory / "config_sentence_transformers.json", {}).get("prompts") or {}
        says = _read(directory / modules.get("Pooling", "1_Pooling") / "config.json", {})
        pooling: Pooling | None = options.pooling if options is not None else None
        if pooling is None:
            modes = _modes(says)
            if len(modes) > 1 or None in modes:
                problems.append(f"text encoder: {directory} pools in a way that is not known here; set `pooling`")
            pooling = next(iter(modes - {None}), None) or "mean"
        if unknown := set(modules) - {"Transformer", "Pooling", "Normalize", "Dense"}:
            problems.append(f"text encoder: {directory} has {', '.join(sorted(unknown))}, which cannot be done here")
        if problems:
            raise ConfigError(problems)
        tokens = options.maximum_tokens if options is not None else None
        document = options.document_prefix if options is not None else None
        query = options.query_prefix if options is not None else None
        return cls(
            found[0],
            tokenizer,
            pooling,
            tokens or int(sentence.get("max_seq_length") or MAXIMUM_TOKENS),
            bool(sentence.get("do_lower_case")),
            str(prompts.get("document", prompts.get("passage", ""))) if document is None else document,
            str(prompts.get("query", "")) if query is None else query,
            "Dense" in modules,
        )


def _modes(says: dict[str, Any]) -> set[Pooling | None]:
    """The ways of pooling in a `config.json`; None for one that is not known."""
    if isinstance(named := says.get("pooling_mode"), str):
        return {_NAMES.get(named)}
    return {_FLAGS.get(name) for name, on in says.items() if name.startswith("pooling_mode_") and on}


def _read(path: Path, absent: Any) -> Any:
    if not path.is_file():
        return absent
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ConfigError([f"text encoder: {path} is no JSON ({error})"]) from None
    if not isinstance(found, type(absent)):
        raise ConfigError([f"text encoder: {path} is not as sentence-transformers writes it"])
    return found
