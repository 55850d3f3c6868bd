import pytest
from pydantic import Field

from savor.core.config import Section, parse_config
from savor.core.errors import ConfigError
from savor.online.experiments.options import Experiments

TEXT = """
[experiments.ranker]
share = 0.5
metric = "conversion"
guardrails = [{metric = "ctr", tolerance = 0.05}]
[experiments.ranker.variants.control]
[experiments.ranker.variants.candidate]
channel = "candidate"
weights = {mmr = 0.3}
"""
LAYERED = TEXT.replace("share", 'layer = "a"\nshare')


class Project(Section):
    experiments: Experiments = Field(default_factory=dict)


def options(text):
    return parse_config(text, Project).experiments


def test_an_experiment_from_toml():
    ranker = options(TEXT)["ranker"]
    assert ranker.variants["candidate"].changes == {"channel", "weights.mmr"}
    assert ranker.changes == {"channel", "weights.mmr"}
    assert ranker.guardrails[0].tolerance == 0.05


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[experiments.a.variants.b]", "needs 'control' and at least one other"),
        (TEXT + "weight = -1", "greater than or equal to 0"),
        (TEXT.replace("[experiments.ranker.variants.control]", "[experiments.ranker.variants.control]\nweight = 0")
         + "weight = 0", "above 0"),
        (TEXT.replace('"ctr"', '"clicks"'), r"no metrics \['clicks'\]"),
        (TEXT.replace("share = 0.5", "offset = 0.2"), "a layer ends at 1"),
        (TEXT.replace("share = 0.5", "share = 0.5\noffset = 0.2"), "only in a layer"),
        (TEXT + "[experiments.ranker.rollout]\nvariant = 'other'", "a roll-out has the variants"),
        (TEXT + "[experiments.ranker.rollout]\nsteps = [0.5, 0.1]", "steps must rise"),
        (TEXT.replace("guardrails = [{metric = \"ctr\", tolerance = 0.05}]", "")
         + "[experiments.ranker.rollout]", "needs a guardrail"),
        (TEXT + TEXT.replace("ranker", "other"), r"'ranker' and 'other' both set \['channel', 'weights.mmr'\]"),
        (LAYERED + LAYERED.replace("ranker", "other"),
         r"overlap in layer 'a': \[0, 0.5\) and \[0, 0.5\)"),
        (TEXT.replace("share", 'salt = "other"\nshare') + TEXT.replace("ranker", "other"), "have one salt"),
        (TEXT.replace("ranker", "Ranker"), "pattern"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said(text, problem):
    with pytest.raises(ConfigError, match=problem):
        options(text)


def test_what_can_run_together():
    second = LAYERED.replace("ranker", "second").replace("share = 0.5", "share = 0.5\noffset = 0.5")
    elsewhere = TEXT.replace("ranker", "third").replace("share", 'scenarios = ["basket"]\nshare')
    here = 'scenarios = ["home"]\nshare'
    assert len(options(LAYERED.replace("share", here) + second.replace("share", here) + elsewhere)) == 3
