from typing import Any

import optuna
import pytest
from pydantic import ValidationError

from savor.cli.project import Project
from savor.core.errors import ConfigError
from savor.training.tuning.configuration_key import find_field, get_value, is_integral, with_values
from savor.training.tuning.default_space import SECTIONS, Stage, default_space
from savor.training.tuning.dimension import Dimension
from savor.training.tuning.space import Space
from tests.training.tuning.known_best import Shop

EVENTS = {"source": "x.csv", "user": "u", "item": "i", "time": "t"}


def space(**dimensions: Any) -> Space:
    named = {key.replace("__", "."): Dimension.model_validate(value) for key, value in dimensions.items()}
    return Space(named, Shop, Shop().model_dump(mode="json"))


def suggestions(made: Space, trials: int = 200) -> list[dict[str, Any]]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    return [made.suggest(study.ask()) for _ in range(trials)]


def test_numbers_are_readable_and_within_bounds() -> None:
    found = [
        one["retrieval.temperature"]
        for one in suggestions(space(retrieval__temperature={"low": 0.0123456, "high": 1, "log": True}))
    ]
    assert min(found) >= 0.0123456
    assert max(found) <= 1
    assert all(float(f"{value:.3g}") == value for value in found if value != 0.0123456)
    assert sum(value < 0.11 for value in found) > 60  # the lower half of the factors


def test_whole_numbers_stay_whole() -> None:
    found = {one["retrieval.depth"] for one in suggestions(space(retrieval__depth={"low": 1, "high": 4}))}
    assert found == {1, 2, 3, 4}
    assert all(isinstance(value, int) for value in found)
    with pytest.raises(ConfigError, match="whole numbers"):
        space(retrieval__depth={"low": 0.5, "high": 4})


def test_lists_can_be_chosen() -> None:
    found = [
        one["retrieval.hidden"] for one in suggestions(space(retrieval__hidden={"choices": [[64], [128, 64]]}), 30)
    ]
    assert [64] in found
    assert [128, 64] in found


def test_a_condition_holds_whatever_the_order_of_keys() -> None:
    made = space(
        retrieval__depth={"low": 1, "high": 3, "when": {"retrieval.model": ["deep", "deeper"]}},
        retrieval__model={"choices": ["flat", "deep"]},
    )
    for one in suggestions(made, 50):
        assert ("retrieval.depth" in one) == (one["retrieval.model"] == "deep")
    alone = space(retrieval__depth={"low": 1, "high": 3, "when": {"retrieval.model": "deep"}})
    assert suggestions(alone, 3) == [{}, {}, {}]


def test_unknown_keys_are_all_named_with_what_is_near() -> None:
    with pytest.raises(ConfigError) as caught:
        space(retrieval__temprature={"low": 0, "high": 1}, retrival__width={"choices": [1]})
    assert "near are temperature" in str(caught.value)
    assert "near are retrieval" in str(caught.value)


@pytest.mark.parametrize(
    "wrong",
    [{}, {"low": 1}, {"low": 2, "high": 1}, {"low": 0, "high": 1, "log": True}, {"low": 1, "choices": [1]}],
)
def test_half_a_dimension_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Dimension.model_validate(wrong)


@pytest.mark.parametrize("stage", ["retrieval", "ranking"])
def test_the_default_spaces_fit_the_configuration(stage: Stage) -> None:
    made = default_space(stage, Project)
    assert len(made) > 5
    present = Project.model_validate({"events": EVENTS}).model_dump(mode="json")
    built = Space(made, Project, present)
    for changes in suggestions(built, 60):
        Project.model_validate(with_values({"events": EVENTS}, changes))
        assert {key.split(".")[0] for key in changes} <= set(SECTIONS[stage])


def test_keys_are_found_and_set() -> None:
    assert is_integral(find_field(Project, "retrieval.batch_size"))
    assert is_integral(find_field(Project, "retrieval.maximum_examples"))
    assert not is_integral(find_field(Project, "retrieval.temperature"))
    assert get_value({"a": {"b": 1}}, "a.b") == 1
    assert get_value({"a": 1}, "a.b") is None
    values = {"a": {"b": 1}}
    assert with_values(values, {"a.c": 2, "d.e": 3}) == {"a": {"b": 1, "c": 2}, "d": {"e": 3}}
    assert values == {"a": {"b": 1}}
