"""The sections of `savor.toml` that a model of a benchmark may have."""

from dataclasses import fields
from pathlib import Path
from typing import Any, get_args, get_type_hints

from pydantic import ValidationError

from savor.bench.config import ModelSpec, merged
from savor.bench.prepare import Prepared
from savor.core.config import Section
from savor.core.errors import ConfigError
from savor.training.retrieval_options import RetrievalOptions
from savor.training.two_stage import TwoStage

RETRIEVERS: tuple[str, ...] = get_args(RetrievalOptions.model_fields["model"].annotation)
"""Every model that `[retrieval] model` can name is a kind."""


def section_types() -> dict[str, type[Section]]:
    """By name, the type of each section that both stages of a project read."""
    hints = get_type_hints(TwoStage)
    named = {field.name: hints[field.name] for field in fields(TwoStage)}
    return {name: kind for name, kind in named.items() if isinstance(kind, type) and issubclass(kind, Section)}


def parse_sections(spec: ModelSpec, base: dict[str, Any]) -> dict[str, Section]:
    """The model's sections over those of `base`, all of them, checked.

    Raises:
        ConfigError: a section or key does not exist, or a value is wrong; every problem is named.
    """
    types = section_types()
    problems = [f"models.{name}: there is no such section" for name in spec.sections if name not in types]
    given = {name: merged(base.get(name, {}), spec.sections.get(name, {})) for name in types}
    if spec.kind in RETRIEVERS:
        given["retrieval"] = {**given["retrieval"], "model": spec.kind}
    parsed = {}
    for name, kind in types.items():
        try:
            parsed[name] = kind.model_validate(given[name])
        except ValidationError as error:
            problems += [
                f"models.{name}.{'.'.join(map(str, one['loc']))}: {one['msg']}"
                for one in error.errors(include_url=False)
            ]
    if problems:
        raise ConfigError(problems, source=spec.name)
    return parsed


def stages_of(prepared: Prepared, spec: ModelSpec, seed: int, directory: Path, base: dict[str, Any]) -> TwoStage:
    """Both stages with the model's sections over those of `base`."""
    protocol = prepared.benchmark.protocol
    sections: dict[str, Any] = parse_sections(spec, base)
    return TwoStage(
        dataset=prepared.dataset,
        directory=directory,
        cache=prepared.cache,
        now="data_end",
        seed=seed,
        kinds=tuple(protocol.get("kinds", ())),
        minimum_value=protocol.get("minimum_value"),
        **sections,
    )
