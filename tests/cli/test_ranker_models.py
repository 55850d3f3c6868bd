"""Every ranker is had by changing savor.toml alone, and answers over the same API."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from savor.api.app import create_app
from savor.api.serve import load_engine
from savor.bundle.registry import Registry
from savor.bundle.writer import write_bundle
from savor.cli.main import command_line
from savor.cli.project import read_project
from savor.cli.serving_section import read_scenarios
from savor.cli.stages import two_stage
from savor.core.errors import ConfigError
from savor.core.folders import ProjectFolder
from tests.cli.shop import SMALL, write_tables

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("ranker models")]

NETWORKS = """
[ncf]
epochs = 3
negatives = 4
factors = 4
mlp_factors = 4
hidden = [8]
batch_size = 256

[dcn]
epochs = 3
hidden = [16]
batch_size = 256
alpha = 1.0
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from typer.testing import CliRunner

    folder = tmp_path_factory.mktemp("models")
    write_tables(folder)
    tables = {"--events": "sales.csv", "--items": "products.csv", "--users": "households.csv"}
    arguments = [part for name, file in tables.items() for part in (name, str(folder / file))]
    runner = CliRunner()
    for command in (["init", *arguments], ["ingest"]):
        done = runner.invoke(command_line(), [*command, "-C", str(folder)])
        assert done.exit_code == 0, done.output
    configuration = folder / "savor.toml"
    configuration.write_text(configuration.read_text().split("\n[retrieval]")[0] + SMALL + NETWORKS)
    opened = ProjectFolder(folder)
    two_stage(opened, read_project(opened)).train_retrieval()
    return folder


def with_lines(project: Path, folder: Path, section: str, *lines: str) -> ProjectFolder:
    """A copy of the project with `lines` in `section`."""
    shutil.copytree(project, folder)
    configuration = folder / "savor.toml"
    text = configuration.read_text()
    assert f"\n[{section}]\n" in text
    configuration.write_text(text.replace(f"\n[{section}]\n", "\n".join([f"\n[{section}]", *lines, ""])))
    return ProjectFolder(folder)


def publish(folder: ProjectFolder, parts: Path) -> None:
    stages = two_stage(folder, read_project(folder))
    stages.train_ranking()
    parts.mkdir()
    stages.publish_parts(parts)
    figure = {"mean": 0.4, "low": 0.3, "high": 0.5}
    metrics = {"tasks": {"all": {"pipeline": {"ndcg@10": figure}}}}
    bundle = write_bundle(parts, stages.metadata(metrics), parts.parent / "made")
    Registry(folder.registry).publish(bundle.directory)


def client(folder: ProjectFolder) -> TestClient:
    return TestClient(create_app(load_engine(folder.registry, scenarios=read_scenarios(folder))))


def asked(found: TestClient, **body) -> list[tuple[str, float]]:
    response = found.post("/recommendations", json={"num_recommendations": 20, **body})
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["fallback"] is None
    return [(item["item_id"], item["score"]) for item in answer["recommendations"]]


@pytest.mark.parametrize("model", ["xgboost", "dcn", "neumf", "mlp", "gmf"])
def test_a_ranker_by_name(project, tmp_path, model):
    folder = with_lines(project, tmp_path / "copy", "ranking", f'model = "{model}"')
    publish(folder, tmp_path / "parts")
    found = client(folder)
    first = asked(found, user_id="h1")
    assert len(first) == 20
    assert len({score for _, score in first}) > 10
    assert asked(found, user_id="h1") == first
    assert [item for item, _ in asked(found, user_id="h2")] != [item for item, _ in first]
    assert asked(found, user_id="h1", scenario="discover")
    assert asked(client(folder), user_id="h1") == first


def test_weights_by_scenario_change_the_order_without_training(project, tmp_path):
    folder = with_lines(project, tmp_path / "copy", "ranking", 'model = "dcn"')
    publish(folder, tmp_path / "parts")
    first = asked(client(folder), user_id="h1")
    text = folder.configuration.read_text()
    folder.configuration.write_text(
        text + "\n[scenarios.home.weights]\nctr = 0.0\nrating = 1.0\n\n[scenarios.mail]\nweights = { ctr = 1.0 }\n"
    )
    restarted = client(folder)
    by_rating = dict(asked(restarted, user_id="h1"))
    by_chance = dict(asked(restarted, user_id="h1", scenario="mail"))
    assert dict(first) == by_chance
    both = sorted(set(by_rating) & set(by_chance))
    assert (
        np.argsort([by_rating[item] for item in both]).tolist()
        != np.argsort([by_chance[item] for item in both]).tolist()
    )
    folder.configuration.write_text(text + "\n[scenarios.home.weights]\nclicks = 1.0\n")
    with pytest.raises(ConfigError, match=r"scenarios\.home\.weights\.clicks"):
        client(folder)


def test_trees_take_no_weights(project, tmp_path):
    folder = with_lines(project, tmp_path / "copy", "ranking", 'model = "xgboost"')
    publish(folder, tmp_path / "parts")
    folder.configuration.write_text(folder.configuration.read_text() + "\n[scenarios.home.weights]\nctr = 1.0\n")
    with pytest.raises(ConfigError, match="takes none"):
        client(folder)


def test_gmf_finds_candidates_too(project, tmp_path):
    folder = with_lines(project, tmp_path / "copy", "retrieval", 'model = "gmf"')
    two_stage(folder, read_project(folder)).train_retrieval()
    publish(folder, tmp_path / "parts")
    assert len(asked(client(folder), user_id="h1")) == 20


@pytest.mark.parametrize(
    ("model", "options"), [("transformer", "time = true\n"), ("gru", 'objective = "all_action"\nloss = "gbce"\n')]
)
def test_sequence_models_find_candidates_too(project, tmp_path, model, options):
    folder = with_lines(project, tmp_path / "copy", "retrieval", f'model = "{model}"')
    text = folder.configuration.read_text().replace("[features]\n", "[features]\nhistory_seconds = true\n", 1)
    small = f"\n[sequence]\nwidth = 8\nblocks = 1\nnegatives = 10\nbatch_tokens = 512\n{options}"
    folder.configuration.write_text(text + small)
    two_stage(folder, read_project(folder)).train_retrieval()
    publish(folder, tmp_path / "parts")
    found = client(folder)
    first = asked(found, user_id="h1")
    assert len(first) == 20
    assert asked(client(folder), user_id="h1") == first
    assert [item for item, _ in asked(found, user_id="h2")] != [item for item, _ in first]
    similar = found.post("/similar_items", json={"item_id": "p3", "num_similar": 5}).json()["similar_items"]
    assert len(similar) == 5
    assert all(-1.001 <= item["score"] <= 1.001 for item in similar)
