"""What may be asked of experiments, and what is answered."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from savor.api.identifiers import Identifier
from savor.api.requests import RequestBody


class StopRequest(RequestBody):
    """`POST /experiments/{name}/stop`."""

    reason: str = Field("stopped by hand", min_length=1, max_length=500, description="Why, for the record.")


class RampRequest(RequestBody):
    """`POST /experiments/{name}/ramp`."""

    share: float = Field(
        gt=0, le=1, description="Share of all users who take part; of a roll-out, a step that is yet to come."
    )


class VariantBody(BaseModel):
    """One variant; what it does not name stays as it is."""

    share: float = Field(description="Of those who take part, how many should have it now.")
    channel: str | None = None
    scenario: str | None = None
    weights: dict[str, float] | None = None
    exploration: dict[str, Any] | None = None


class ExperimentBody(BaseModel):
    """One experiment, and where it stands."""

    name: str
    status: Literal["draft", "running", "stopped"]
    since: int | None = Field(description="When the present period began, UTC seconds.")
    share: float = Field(description="Share of all users who take part.")
    variants: dict[str, VariantBody]
    scenarios: list[str]
    metric: str
    metrics: list[str]
    guardrails: list[dict[str, Any]]
    rollout: dict[str, Any] | None
    least_users: int = Field(description="Users that each variant needs before anything is concluded.")
    judge: str | None = Field(description="Channel of the bundle that off-policy estimates are about.")
    changes: list[dict[str, Any]] = Field(description="What happened to it, oldest first.")
    differs_from_file: bool = Field(description="Whether savor.toml says something else, taken at a new start.")


class ExperimentsBody(BaseModel):
    """Answer to `GET /experiments`."""

    experiments: list[ExperimentBody]


class IntervalBody(BaseModel):
    """A figure with bounds that hold at every look; null where nothing is known yet."""

    value: float | None
    low: float | None
    high: float | None


class MetricRowBody(BaseModel):
    """One metric of one variant."""

    metric: str
    variant: str
    mean: IntervalBody
    difference: IntervalBody | None = Field(description="To control, in the units of the metric.")
    lift: IntervalBody | None = Field(description="To control, as a share of control.")
    p: float | None


class GuardrailBody(BaseModel):
    """One guardrail of one variant."""

    metric: str
    variant: str
    tolerance: float
    harm: IntervalBody
    crossed: bool


class SampleRatioBody(BaseModel):
    """Whether users came to the variants as meant."""

    counts: list[int]
    shares: list[float]
    p: float
    p_once: float
    mismatch: bool


class DecisionBody(BaseModel):
    """What to do."""

    verdict: Literal["invalid", "stop", "ship", "keep_control", "no_difference", "continue"]
    variant: str | None
    text: str


class ResultsBody(BaseModel):
    """Answer to `GET /experiments/{name}/results`."""

    experiment: str
    status: str
    since: int | None
    users: dict[str, int]
    mixed_users: int
    sample_ratio: SampleRatioBody
    metrics: list[MetricRowBody]
    guardrails: list[GuardrailBody]
    decision: DecisionBody


class AssignmentBody(BaseModel):
    """Answer to `GET /experiments/{name}/assignment`."""

    experiment: str
    user_id: Identifier
    variant: str | None = Field(description="Null for somebody who does not take part now.")


class OffPolicyBody(BaseModel):
    """Answer to `GET /experiments/{name}/off_policy`: outcomes for each item shown, had the other bundle answered."""

    experiment: str
    channel: str
    outcome: str
    lists: int = Field(description="Lists of the log that the other bundle made too.")
    rounds: int = Field(description="Items at places, each of which is a round.")
    logged: float | None = Field(description="Outcomes for each item shown, as logged.")
    mean_weight: float | None = Field(description="About 1 where the log covers the other bundle's lists.")
    ips: IntervalBody | None
    snips: IntervalBody | None
    dr: IntervalBody | None
    effective_rounds: float | None = Field(description="How many rounds of the other bundle itself the log is worth.")
    largest_weight: float | None
    problem: str | None


class DriftRow(BaseModel):
    """One distribution against that of the bundle."""

    kind: Literal["feature", "score", "catalogue"]
    name: str
    psi: float
    bound: float | None = Field(description="What chance alone explains; null where nothing was seen.")
    n: float
    alarm: bool


class DriftBody(BaseModel):
    """Answer to `GET /drift`."""

    bundle: str
    problem: str | None = Field(description="Why nothing is watched.")
    threshold: float
    hours: float
    requests: float
    drift: list[DriftRow]
