from savor.online.experiments.experiment import Experiment
from savor.online.experiments.options import ExperimentOptions
from savor.online.experiments.plan import Planner


def running(name, **options):
    return Experiment(name, ExperimentOptions.model_validate(options)).started(1)


RANKER = running(
    "ranker",
    variants={"control": {}, "candidate": {"channel": "candidate", "weights": {"mmr": 0.3}}},
    exploration={"share": 0.1},
)
PLACE = running("place", variants={"control": {}, "basket": {"scenario": "basket"}}, scenarios=["home"])


def plans(planner, scenario="home"):
    return [planner.plan(f"user-{number}", scenario) for number in range(400)]


def test_nobody_is_in_what_does_not_run():
    planner = Planner({"ranker": Experiment("ranker", RANKER.options), "place": PLACE.stopped(2)})
    assert planner.plan("ann", "home").variant == "control"
    assert planner.plan("ann", "home").assignments == ()


def test_each_variant_sets_what_it_names():
    seen = set()
    for plan in plans(Planner({"ranker": RANKER, "place": PLACE})):
        variants = dict(plan.assignments)
        assert plan.variant == ",".join(f"{name}={variant}" for name, variant in plan.assignments)
        assert plan.channel == ("candidate" if variants["ranker"] == "candidate" else None)
        assert plan.weights == ({"mmr": 0.3} if variants["ranker"] == "candidate" else {})
        assert plan.scenario == ("basket" if variants["place"] == "basket" else "home")
        assert plan.exploration is not None
        assert plan.exploration.share == 0.1
        seen.add(tuple(variants.values()))
    assert len(seen) == 4


def test_other_scenarios_take_no_part():
    for plan in plans(Planner({"place": PLACE}), "search"):
        assert plan.assignments == ()
        assert plan.scenario == "search"


def test_a_roll_out_is_at_its_step():
    options = {
        "variants": {"control": {}, "candidate": {"channel": "candidate"}},
        "guardrails": [{"metric": "conversion"}],
        "rollout": {"steps": [0.25, 1.0]},
    }
    shares = [plan.channel == "candidate" for plan in plans(Planner({"new": running("new", **options)}))]
    assert 60 <= sum(shares) <= 140
