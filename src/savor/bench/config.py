"""What a file in `benchmarks/quality/` says."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from savor.core.config import Section, read_config
from savor.core.errors import ConfigError
from savor.data.known.registry import KNOWN
from savor.data.splits import SplitOptions

BEST = "best baseline"
BASELINES = ("popularity", "recent_popularity", "own_frequency", "item_knn", "ease", "ials", "gf_cf")
"""Kinds that have `params` and no sections; a goal `above = "best baseline"` counts from the best of them."""


class DatasetOptions(Section):
    """`[dataset]`: which known data set, and what is made of it before ingest."""

    name: str = Field(description="Name of a known data set, as for `savor init --dataset`.")
    path: str | None = Field(
        None, description="Its folder below the data folder; absent where an installed package has the files."
    )
    core: int = Field(1, ge=1, description="Users and items with fewer events are left out, again and again.")
    attributes: bool = Field(True, description="Whether the item and user tables are used; without them only ids are.")
    ingest: dict[str, Any] = Field(default_factory=dict, description="Keys of `[ingest]`, over those of the data set.")

    @field_validator("name")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in KNOWN and name != "open-bandit":
            raise ValueError(f"{name!r} is no known data set; there are: {', '.join((*KNOWN, 'open-bandit'))}")
        return name


class Reference(Section):
    """`[[par]]`: a figure that others have published or measured."""

    name: str = Field(description="The model.")
    source: str = Field(description="Where the figure is from.")
    task: str = Field("", description="The task it is for; absent: the first of the protocol.")
    figures: dict[str, float] = Field(description="By metric.")


class Goal(Section):
    """`[[goal]]`: a figure Savor is for."""

    task: str = Field("", description="The task it is for; absent: the first of the protocol.")
    figures: dict[str, float] = Field(description="By metric.")
    above: str | None = Field(
        None,
        description="Where given, the figures are factors over those of this model in the same run, or of the best "
        "baseline, metric by metric, where this is `best baseline`.",
    )


class ModelSpec(Section):
    """`[[models]]`: a model to run.

    Beside these keys it may have sections (`features`, `retrieval`, `ranking`, …) with the keys of `savor.toml`.
    """

    name: str = Field(description="What the tables call it; unique in the file.")
    kind: str = Field(description="What it is; each protocol has its kinds.")
    params: dict[str, Any] = Field(default_factory=dict, description="Parameters of a closed form or a baseline.")
    tune: Literal["no", "quick", "full"] = Field("no", description="Choose the parameters on validation, from a grid.")
    seeds: tuple[int, ...] = Field((7,), min_length=1, description="One training for each.")
    refit: bool = Field(
        True, description="Whether it is fitted again on training and validation before the test is asked."
    )
    passes: int | None = Field(
        None,
        ge=1,
        description="Of a retriever: train only once, on training and validation, for so many passes, which an earlier "
        "run found best on validation.",
    )
    validated: bool = Field(
        False, description="Of a baseline: whether it answers the validation, too, as a blend of it needs."
    )
    expected: dict[str, float] = Field(
        default_factory=dict, description="A self-check: figures of the first task that must come out."
    )
    tolerance: float = Field(0.0005, gt=0, description="How far from `expected` they may be.")
    note: str = Field("", description="Printed beside it.")
    sections: dict[str, dict[str, Any]] = Field(default_factory=dict, description="Sections as in savor.toml.")


class Benchmark(Section):
    """The whole file.

    Attributes:
        defaults: keys and sections that every model starts from.
    """

    title: str
    about: str = ""
    dataset: DatasetOptions
    split: SplitOptions | None = None
    protocol: dict[str, Any]
    par: tuple[Reference, ...] = ()
    goal: tuple[Goal, ...] = ()
    models: tuple[ModelSpec, ...] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _with_defaults(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        values = dict(values)
        defaults = values.pop("defaults", {})
        models = values.get("models", ())
        if isinstance(models, list):
            values["models"] = [_spec(merged(_defaults_for(model, defaults), model)) for model in models]
        return values

    @model_validator(mode="after")
    def _names_are_unique(self) -> Self:
        names = [model.name for model in self.models]
        if doubles := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two models are called {doubles[0]!r}")
        return self

    @property
    def kind(self) -> str:
        """The kind of protocol."""
        return str(self.protocol.get("kind", "ranking"))

    def chosen(self, only: tuple[str, ...], seeds: int | None) -> tuple[ModelSpec, ...]:
        """The models called as in `only` (all where it is empty), with at most the first `seeds` seeds.

        Raises:
            ConfigError: there is no such model.
        """
        names = [model.name for model in self.models]
        if unknown := [name for name in only if name not in names]:
            raise ConfigError([f"no model is called {unknown[0]!r}; there are {', '.join(names)}"], source=self.title)
        kept = [model for model in self.models if not only or model.name in only]
        return tuple(model.model_copy(update={"seeds": model.seeds[:seeds]}) for model in kept)


def read_benchmark(path: Path) -> Benchmark:
    """Read and check a benchmark's file.

    Raises:
        ConfigError: naming every problem.
    """
    return read_config(path, Benchmark)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with the keys of `over` in their places, table by table."""
    result = dict(base)
    for key, value in over.items():
        inner = result.get(key)
        result[key] = merged(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return result


def _defaults_for(model: Mapping[str, Any], defaults: Mapping[str, Any]) -> Mapping[str, Any]:
    """The defaults; without sections and `refit` for a baseline, which has none and learns from all that is known."""
    if model.get("kind") not in BASELINES:
        return defaults
    return {key: value for key, value in _own(defaults) if key != "refit"}


def _spec(values: Mapping[str, Any]) -> dict[str, Any]:
    """Tables that are no keys of `ModelSpec` are sections."""
    own = dict(_own(values))
    tables = {key: value for key, value in values.items() if key not in own}
    sections = dict(own.get("sections", {}))
    for key, value in tables.items():
        if not isinstance(value, dict):
            own[key] = value  # an unknown key, which is an error
        else:
            sections[key] = merged(sections.get(key, {}), value)
    return {**own, "sections": sections}


def _own(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if key in ModelSpec.model_fields:
            yield key, value
