"""All inputs from raw tables to a served list: pictures, words, searches, sessions, profiles."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from savor.data.dataset import Dataset
from savor.data.histories import Histories
from savor.data.ingest import ingest
from savor.data.options import IngestOptions
from savor.data.schema import EventTable, ItemTable, Schema, UserTable
from savor.data.splits import SplitOptions
from savor.features.images.options import ImageOptions
from savor.features.options import FeatureOptions
from savor.features.profiles import Profiles, UserProfile
from savor.pipeline.options import PipelineOptions
from savor.pipeline.query import Query
from savor.training.ranking_options import RankingOptions
from savor.training.retrieval_options import RetrievalOptions
from savor.training.state import StateOptions
from savor.training.two_stage import TwoStage
from tests.features.images.tiny_onnx import write_mean_colour

USERS, ITEMS, DAYS = 40, 24, 60
COLOURS = {"red": (230, 30, 30), "green": (30, 230, 30), "blue": (30, 30, 230)}


def write_tables(folder: Path) -> None:
    """Users like one colour, search for it, and come in sessions."""
    rng = np.random.default_rng(1)
    names = list(COLOURS)
    (folder / "shop" / "photos").mkdir(parents=True)
    items = [["sku", "title", "photo"]]
    for item in range(ITEMS):
        colour = np.clip(np.asarray(COLOURS[names[item % 3]]) + rng.integers(-25, 25, 3), 0, 255).astype(np.uint8)
        Image.fromarray(np.full((20, 30, 3), colour)).save(folder / "shop" / "photos" / f"{item}.png")
        items.append([f"i{item}", f"thing {item}", f"photos/{item}.png"])
    (folder / "shop" / "photos" / "5.png").write_bytes(b"damaged")
    items.append(["i24", "new red thing", "photos/0.png"])
    events: list[list[str | int]] = [["who", "sku", "at", "kind", "query", "words"]]
    for user in range(USERS):
        taste = user % 3
        for day in range(user % 3, DAYS, 3):
            moment = 1_700_000_000 + day * 86_400 + int(rng.integers(0, 3600))
            events.append([f"u{user}", "", moment, "search", f"something {names[taste]}", ""])
            for place in range(int(rng.integers(1, 4))):
                item = (
                    int(rng.integers(0, ITEMS // 3)) * 3 + taste if rng.random() < 0.9 else int(rng.integers(0, ITEMS))
                )
                review = f"I like {names[item % 3]}" if rng.random() < 0.1 else ""
                events.append([f"u{user}", f"i{item}", moment + 60 * (1 + place), "buy", "", review])
    users = [["who", "age"]] + [[f"u{user}", ["young", "middle", "old"][user % 3]] for user in range(USERS)]
    for name, rows in (("shop/items", items), ("events", events), ("users", users)):
        with (folder / f"{name}.csv").open("w", newline="") as file:
            csv.writer(file).writerows(rows)


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> TwoStage:
    folder = tmp_path_factory.mktemp("full")
    write_tables(folder)
    write_mean_colour(folder / "model.onnx", channels_first=True, size=16)
    schema = Schema(
        events=EventTable(
            source="events.csv", user="who", item="sku", time="at", kind="kind", search="query", review="words"
        ),
        items=ItemTable(source="shop/items.csv", id="sku", name="title", text=("title",), image="photo"),
        users=UserTable(source="users.csv", id="who", categories=("age",)),
    )
    ingest(schema, IngestOptions(memory="300MB", threads=1), SplitOptions(), folder, folder / "dataset")
    stages = TwoStage(
        dataset=Dataset.open(folder / "dataset"),
        directory=folder / "training",
        cache=folder / "cache",
        features=FeatureOptions(history_length=8, minimum_count=1),
        retrieval=RetrievalOptions(
            embedding_dimension=16,
            hidden=(32,),
            batch_size=64,
            epochs=10,
            learning_rate=0.005,
            patience=10,
            activation="gelu",
        ),
        ranking=RankingOptions(windows=1),
        state=StateOptions(co_purchase_items=20),
        pipeline=PipelineOptions(sources=("ann",)),
        now="data_end",
        seed=1,
        images=ImageOptions(encoder="model.onnx", threads=1),
        base=folder,
    )
    stages.train_retrieval()
    return stages


@pytest.fixture(scope="module")
def serving(stages):
    everything = np.ones(len(stages.dataset.events), np.bool_)
    with stages.serving(everything, int(stages.dataset.split["data_end"]) + 1, ranked=False) as found:
        yield found


def user_vector_stage(serving):
    (stage,) = [stage for stage in serving.pipeline.hydrators if stage.name == "user_vector"]
    return stage


def share(serving, taste, user="stranger", **more):
    """Share of a colour in the first eight."""
    result = serving.pipeline.run(Query(user, serving.clock(), n=8, **more))
    assert result.failures == ()
    colours = [int(identifier[1:]) % 3 for identifier in (serving.catalogue.ids[item] for item in result.items)]
    return np.mean(np.asarray(colours) == taste)


def test_every_input_is_used_and_what_is_damaged_is_left_out(serving):
    space = user_vector_stage(serving)._features
    assert {"user_id", "user_category_0", "history_item", "session_item", "visual_preference", "search_text"} <= set(
        space.user_signature
    )
    assert {"item_id", "item_text", "item_reviews", "item_image", "item_image_known"} <= set(space.item_signature)
    rows = [serving.catalogue.index[name] for name in ("i5", "i24", "i0")]
    assert space.item_inputs(np.asarray(rows, np.int32))["item_image_known"][:, 0].tolist() == [0, 1, 1]


def test_the_served_inputs_are_those_of_training(stages, serving):
    window = stages.windows()[-1]
    known = stages.dataset.events.select(window.known)
    trained = stages.feature_space(known, window.now)
    served = user_vector_stage(serving)._features
    profiles = Profiles.from_dataset(stages.dataset)
    histories = Histories.from_events(stages.dataset.events, len(profiles))
    users = np.arange(USERS, dtype=np.int32)
    for now in (serving.clock(), window.now):
        batch = trained.user_inputs(users, histories, np.full(USERS, now))
        for user in range(0, USERS, 7):
            name = profiles.ids[user]
            states = serving.states
            online = served.user_input(states.history(name, now), states.profile(name), now, states.searches(name))
            assert online.keys() == batch.keys()
            for key, column in batch.items():
                assert np.array_equal(column[user], online[key][0]), key


def test_likes_searches_and_profiles_decide(serving):
    features, tower = user_vector_stage(serving)._features, user_vector_stage(serving)._tower
    searched = np.empty((3, 3))
    for taste, (colour, age) in enumerate(zip(COLOURS, ("young", "middle", "old"), strict=True)):
        assert share(serving, taste, f"u{taste}") > 0.6, colour
        searched[taste] = [share(serving, other, context={"search": f"something {colour}"}) for other in range(3)]
        history, profile = serving.states.history("nobody", 0), UserProfile("nobody", {"age": age})
        vector = tower(features.user_input(history, profile, serving.clock()))[0]
        best = np.argsort(-(serving.similar._search.vectors @ vector))[:8]
        colours = [int(serving.catalogue.ids[item][1:]) % 3 for item in best]
        assert np.mean(np.asarray(colours) == taste) > 0.5, age
    # Strangers who search were never seen in training, yet each finds more of a colour by searching for it.
    assert np.diag(searched).mean() > searched.mean() + 0.1


def test_similar_by_picture(serving):
    index = serving.catalogue.index
    found = serving.similar.find(index["i0"], 4, None, by_picture=True)
    names = [serving.catalogue.ids[item] for item in found.items]
    assert names[0] == "i24"
    assert {int(name[1:]) % 3 for name in names} == {0}
    assert found.fallback is None


def test_changed_features_are_another_training(stages):
    assert stages._is_trained()
    for changed in (
        {"features": stages.features.model_copy(update={"search": False})},
        {"images": ImageOptions(encoder="model.onnx", threads=1, mean=(0.0, 0.0, 0.0))},
    ):
        assert not replace(stages, **changed)._is_trained()
