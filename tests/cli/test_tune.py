"""`savor tune` on a small shop, from the command's arguments to the configuration that it writes."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from savor.cli.ingest import ingest
from savor.cli.init import init
from savor.cli.project import Project
from savor.cli.train import train
from savor.cli.tune import tune
from savor.core.config import parse_config
from savor.core.errors import ConfigError, TrainingError
from savor.training.tuning.configuration_key import with_values
from tests.cli.shop import SMALL, write_tables

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("tune")]
ROOT = Path(__file__).parents[2]
TUNING = """
[tuning]
random_trials = 2

[tuning.space]
"retrieval.temperature" = {low = 0.03, high = 0.5, log = true}
"retrieval.hidden" = {choices = [[16], [8]]}
"features.moment" = {choices = [true, false]}
"ranking.depth" = {low = 1, high = 4}
"ranking.learning_rate" = {low = 0.02, high = 0.5, log = true}
"ranking.objective" = {choices = ["binary:logistic", "rank:ndcg"]}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tune")
    write_tables(folder)
    events, items, users = (str(folder / name) for name in ("sales.csv", "products.csv", "households.csv"))
    init(directory=folder, events=events, items=items, users=users)
    configuration = folder / "savor.toml"
    configuration.write_text(configuration.read_text().split("\n[retrieval]")[0] + SMALL + TUNING)
    ingest(directory=folder)
    return folder


def answer(capsys: pytest.CaptureFixture[str], **arguments: Any) -> Any:
    capsys.readouterr()
    tune(as_json=True, **arguments)
    return json.loads(capsys.readouterr().out)


def test_there_must_be_something_to_show(project: Path) -> None:
    with pytest.raises(ConfigError, match="no trials of the retrieval yet"):
        tune(directory=project, trials=0)


def test_the_winner_is_written_as_a_configuration(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (project / "savor.toml").read_text()
    found = answer(capsys, directory=project, trials=2)
    assert found["metric"] == "recall_min@6"
    assert [one["state"] for one in found["trials"]].count("fail") == 0
    assert found["trials"][0]["present"]
    best = max((one for one in found["trials"] if one["value"]), key=lambda one: one["value"])
    assert found["best"] == best
    tuned = (project / "savor.tuned.toml").read_text()
    expected = with_values(tomllib.loads(before), best["changes"])
    assert parse_config(tuned, Project) == Project.model_validate(expected)
    touched = [line[1:].split("=")[0].strip() for line in found["difference"].splitlines() if line[:1] in "+-"]
    touched = [name for name in touched if name and not name.startswith(("++", "--"))]
    assert set(touched) <= {"temperature", "hidden", "moment", "[features]"}
    assert (project / "savor.toml").read_text() == before
    page = (project / "reports" / "tuning-retrieval.html").read_text()
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org", "")
    assert list((project / ".savor" / "tuning" / "retrieval" / "trials" / "0001" / "tensorboard").iterdir())


def test_trials_are_kept_unless_they_are_to_be_forgotten(project: Path) -> None:
    with pytest.raises(ConfigError, match=r"--resume, or begin again with --restart"):
        tune(directory=project, trials=1)


def test_the_winner_takes_the_place_of_the_configuration(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = (project / "savor.toml").read_text()
    found = answer(capsys, directory=project, trials=0, write=True)
    after = (project / "savor.toml").read_text()
    assert parse_config(after, Project) == Project.model_validate(
        with_values(tomllib.loads(before), found["best"]["changes"])
    )
    if found["difference"]:
        assert (project / "savor.toml.before-tuning-1").read_text() == before
    # The trials so far are comparable with what comes, though the configuration is another now.
    assert len(answer(capsys, directory=project, trials=1, resume=True)["trials"]) == 3


def test_a_setting_that_is_not_tuned_makes_trials_incomparable(project: Path) -> None:
    configuration = project / "savor.toml"
    before = configuration.read_text()
    configuration.write_text(before.replace("batch_size = 256", "batch_size = 128"))
    try:
        with pytest.raises(ConfigError, match=r"retrieval\.batch_size was 256 and is 128"):
            tune(directory=project, trials=1, resume=True)
    finally:
        configuration.write_text(before)


def test_the_ranker_is_tuned_on_a_window_it_did_not_learn_from(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(TrainingError, match="no trained towers"):
        tune(directory=project, stage="ranking", trials=1)
    train(directory=project, stage="retrieval")
    found = answer(capsys, directory=project, stage="ranking", trials=4)
    assert found["metric"] == "ndcg@10"
    assert len({one["value"] for one in found["trials"]}) > 1
    assert all(0 < one["value"] <= 1 for one in found["trials"])
    assert all(key.startswith("ranking.") for one in found["trials"] for key in one["changes"])
    collected = {path: path.stat().st_mtime_ns for path in (project / ".savor/tuning/candidates").rglob("*.npz")}
    assert len(collected) == 4
    answer(capsys, directory=project, stage="ranking", trials=1, resume=True)
    assert collected == {
        path: path.stat().st_mtime_ns for path in (project / ".savor/tuning/candidates").rglob("*.npz")
    }


def test_two_workers_share_a_study(project: Path) -> None:
    command = [sys.executable, "-m", "savor", "tune", "-C", str(project), "--stage", "ranking", "--resume", "--json"]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS"), "1")
    done = subprocess.run(
        [*command, "--trials", "4", "--jobs", "2"],
        capture_output=True,
        text=True,
        env={**os.environ, **threads},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    trials = json.loads(done.stdout)["trials"]
    assert [one["number"] for one in trials] == list(range(9))
    assert {one["state"] for one in trials} <= {"complete", "pruned"}
    assert done.stderr.count("  trial ") == 4
