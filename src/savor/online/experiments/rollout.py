"""Rolling a variant out step by step, and back at once when it does harm."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from savor.online.experiments.results import ExperimentResults
from savor.online.experiments.rollout_options import RolloutOptions

Status = Literal["running", "finished", "rolled_back"]
_HOUR = 3600


@dataclass(frozen=True)
class RolloutState:
    """Where a roll-out stands.

    Attributes:
        status: `finished` has the last step's share for good, `rolled_back` has 0 for good.
        step: position in the steps.
        since: when the step began, UTC seconds. Results are to be made of lists after it only: within a step no user
            changes variant.
    """

    status: Status
    step: int
    since: int

    def share(self, options: RolloutOptions) -> float:
        """Share of users who get the variant."""
        return 0.0 if self.status == "rolled_back" else options.steps[self.step]


class Transition(NamedTuple):
    """One change, for the audit.

    Attributes:
        time: UTC seconds.
        before, after: states.
        share_before, share_after: shares of users.
        code: `started`, `advanced`, `finished`, `guardrail`, `sample_ratio`, `mixed_users`, `stopped`.
        text: why, for people.
        evidence: what was seen, as JSON values.
    """

    time: int
    before: RolloutState | None
    after: RolloutState
    share_before: float
    share_after: float
    code: str
    text: str
    evidence: dict[str, Any]


def start(options: RolloutOptions, now: int) -> Transition:
    """The first step."""
    state = RolloutState("running", 0, now)
    share = state.share(options)
    return Transition(now, None, state, 0.0, share, "started", f"{options.variant} goes to {share:.0%} of users", {})


def stop(options: RolloutOptions, state: RolloutState, now: int, text: str) -> Transition | None:
    """Roll back because a person says so; None where that has happened already."""
    return None if state.status == "rolled_back" else _back(options, state, now, "stopped", text, {})


def advance(options: RolloutOptions, state: RolloutState, results: ExperimentResults, now: int) -> Transition | None:
    """What one look at the results changes.

    Harm is acted upon at every look, and after the end as well; going on waits until the step has had its time and its
    users. Nothing leads back from `rolled_back`: what was repaired is another roll-out.

    Args:
        options: of the roll-out.
        state: where it stands.
        results: of lists since `state.since`.
        now: UTC seconds.

    Returns:
        The change; None where there is none.
    """
    if state.status == "rolled_back":
        return None
    evidence = {"users": results.users, "decision": results.decision._asdict()}
    if results.decision.verdict == "invalid":
        code = "sample_ratio" if results.ratio.mismatch else "mixed_users"
        return _back(options, state, now, code, results.decision.text, evidence)
    crossed = [rail for rail in results.guardrails if rail.crossed and rail.variant == options.variant]
    if crossed:
        text = f"{options.variant} makes {crossed[0].metric} worse than is tolerated"
        return _back(options, state, now, "guardrail", text, {**evidence, "guardrails": [r.as_json() for r in crossed]})
    if state.status == "finished":
        return None
    waited, reached = now - state.since, results.users.get(options.variant, 0)
    if waited < options.hours * _HOUR or reached < options.users:
        return None
    last = state.step == len(options.steps) - 1
    after = RolloutState("finished", state.step, state.since) if last else RolloutState("running", state.step + 1, now)
    share = after.share(options)
    text = f"no harm seen in {waited / _HOUR:.0f} hours and {reached} users; {options.variant} " + (
        f"stays with {share:.0%} of users" if last else f"goes to {share:.0%} of users"
    )
    return Transition(
        now, state, after, state.share(options), share, "finished" if last else "advanced", text, evidence
    )


def _back(
    options: RolloutOptions, state: RolloutState, now: int, code: str, text: str, evidence: dict[str, Any]
) -> Transition:
    after = RolloutState("rolled_back", state.step, now)
    return Transition(now, state, after, state.share(options), 0.0, code, text, evidence)
