"""What a bundle brings apart from its tables of items, opened once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from savor.bundle.bundle import Bundle
from savor.core.clock import Clock, frozen_clock, wall_clock
from savor.core.pseudonym import pseudonyms_from_environment
from savor.features.catalogue import Catalogue
from savor.features.text.encoder import TextEncoder
from savor.features.text.open_encoder import EncoderChoice, open_text_encoder
from savor.models.litert_tower import LiteRtTower
from savor.online.user_states import UserStates
from savor.pipeline.fairness.exposure_account import ExposureAccount
from savor.pipeline.live_words import LiveWords
from savor.pipeline.open_ranker import RankerModels
from savor.pipeline.options import PipelineOptions
from savor.pipeline.scenario import Scenario, known_scenarios


@dataclass(frozen=True)
class OpenedBundle:
    """Models, users and settings: what stays the same while items come, change and go.

    Attributes:
        bundle: where it is from.
        config: its `config.json`.
        options: how to put the pipeline together.
        states: what is known of users.
        clock: the moment that answers are for.
        scenarios: the places a list may be for, by name.
        user_tower: makes user vectors; None where there is none.
        ranker: None where there is none.
        exposure: what declared groups got so far.
        words: finds items by their words.
    """

    bundle: Bundle
    config: Mapping[str, Any]
    options: PipelineOptions
    states: UserStates
    clock: Clock
    scenarios: Mapping[str, Scenario]
    user_tower: LiteRtTower | None
    ranker: RankerModels | None
    exposure: ExposureAccount
    words: LiveWords

    @classmethod
    def load(
        cls,
        bundle: Bundle,
        catalogue: Catalogue,
        options: PipelineOptions | None = None,
        clock: Clock | None = None,
        states: UserStates | None = None,
        scenarios: Mapping[str, Scenario] | None = None,
    ) -> "OpenedBundle":
        """Open a bundle with its `catalogue`; the other arguments and the errors are those of `build_serving`."""
        config = bundle.read_json("config.json") if bundle.has("config.json") else {}
        options = options or PipelineOptions.model_validate(config.get("pipeline", {}))
        if scenarios is None:
            scenarios = {name: Scenario.model_validate(value) for name, value in config.get("scenarios", {}).items()}
        places = known_scenarios(scenarios)
        frozen = config.get("now") == "data_end"
        alias = pseudonyms_from_environment() if config.get("pseudonymous") else None
        tower = bundle.path("towers/user.tflite") if bundle.has("towers/user.tflite") else None
        return cls(
            bundle,
            config,
            options,
            states or UserStates.load(bundle.path("state"), alias),
            clock or (frozen_clock(int(config["data_end"])) if frozen else wall_clock),
            places,
            LiteRtTower.load(tower) if tower else None,
            RankerModels.load(bundle, places),
            ExposureAccount(options.fairness),
            LiveWords(catalogue, bundle),
        )

    def item_tower(self) -> LiteRtTower | None:
        """Makes item vectors; None where the bundle has no such tower."""
        name = "towers/item.tflite"
        return LiteRtTower.load(self.bundle.path(name)) if self.bundle.has(name) else None

    def text_encoder(self, choice: EncoderChoice, *, queries: bool = False) -> TextEncoder:
        """The text encoder that the bundle was trained with, opened once in a process.

        Args:
            choice: as its features say.
            queries: for what people search for.

        Raises:
            SavorError: as `open_text_encoder`.
        """
        places = (folder.parent for folder in self.bundle.directory.resolve().parents if folder.name == ".savor")
        return _opened_encoder(choice, next(places, Path()), queries=queries and choice is not None)


@cache
def _opened_encoder(choice: EncoderChoice, base: Path, *, queries: bool) -> TextEncoder:
    return open_text_encoder(choice, base, queries=queries, threads=1)
