"""One experiment and where it stands: declared, running, stopped."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from savor.core.errors import SavorError
from savor.online.experiments import rollout as rolling
from savor.online.experiments.options import ExperimentOptions
from savor.online.experiments.results import ExperimentResults
from savor.online.experiments.rollout import RolloutState, Transition

Status = Literal["draft", "running", "stopped"]
_MOST_CHANGES = 200
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Experiment:
    """A declared experiment; every change is a new value.

    Attributes:
        name: of the experiment.
        options: as declared; `share` is that of now.
        status: `draft` was never started; nobody takes part in anything but a `running` one.
        since: when the present period began, UTC seconds; results are of lists after it only. 0 before the first.
        rollout: where the roll-out stands; None where there is none, or it has not begun.
        changes: what happened to it, oldest first, as JSON values.
        version: of the store; 0 where it is not there yet.
    """

    name: str
    options: ExperimentOptions
    status: Status = "draft"
    since: int = 0
    rollout: RolloutState | None = None
    changes: tuple[Mapping[str, Any], ...] = field(default=())
    version: int = 0

    @property
    def running(self) -> bool:
        """Whether users take part."""
        return self.status == "running"

    @property
    def shares(self) -> dict[str, float]:
        """By variant, the share of those who take part that should have it now."""
        if self.options.rollout is not None:
            share = 0.0 if self.rollout is None else self.rollout.share(self.options.rollout)
            return {
                variant: share if variant == self.options.rollout.variant else 1 - share
                for variant in self.options.variants
            }
        return self._weights()

    @property
    def shares_of_period(self) -> dict[str, float]:
        """The same in the last period, which is over where the experiment was stopped."""
        options = self.options.rollout
        if options is None or self.rollout is None:
            return self._weights()
        share = options.steps[self.rollout.step]
        return {variant: share if variant == options.variant else 1 - share for variant in self.options.variants}

    def _weights(self) -> dict[str, float]:
        total = sum(variant.weight for variant in self.options.variants.values())
        return {name: variant.weight / total for name, variant in self.options.variants.items()}

    def started(self, now: int) -> "Experiment":
        """A new period, from `now` (UTC seconds); a roll-out begins with its first step.

        Raises:
            SavorError: it runs already (code `experiment_state`).
        """
        if self.running:
            raise SavorError(f"the experiment {self.name!r} is running already", code="experiment_state")
        if self.options.rollout is not None:
            return self._after(rolling.start(self.options.rollout, now), "running")
        return replace(
            self,
            status="running",
            since=now,
            changes=self._noted(now, "started", "users take part from now on", 0.0, self.options.share),
        )

    def stopped(self, now: int, text: str = "stopped by hand") -> "Experiment":
        """Nobody takes part from `now` on; what is rolled out is taken back from everybody.

        Raises:
            SavorError: it does not run (code `experiment_state`).
        """
        if not self.running:
            raise SavorError(f"the experiment {self.name!r} is not running", code="experiment_state")
        if self.options.rollout is not None and self.rollout is not None:
            transition = rolling.stop(self.options.rollout, self.rollout, now, text)
            if transition is not None:
                return self._after(transition, "stopped")
        return replace(self, status="stopped", changes=self._noted(now, "stopped", text, self.options.share, 0.0))

    def ramped(self, share: float, now: int) -> "Experiment":
        """More users take part; of a roll-out, more users get the variant, by the step with that share.

        Raises:
            SavorError: it does not run (code `experiment_state`), or the share is not above that of now or, in a
                layer, reaches beyond its end, or is no step of the roll-out (code `share_invalid`).
        """
        if not self.running:
            raise SavorError(f"the experiment {self.name!r} is not running", code="experiment_state")
        if self.options.rollout is not None and self.rollout is not None:
            return self._stepped(share, now)
        before = self.options.share
        if not before < share <= 1 - self.options.offset + _ROUNDING:
            raise SavorError(
                f"the share must be above {before:g}, so that nobody loses a variant, and at most "
                f"{1 - self.options.offset:g}; got {share:g}",
                code="share_invalid",
            )
        return replace(
            self,
            options=self.options.model_copy(update={"share": share}),
            changes=self._noted(now, "ramped", f"{share:.0%} of users take part", before, share),
        )

    def _stepped(self, share: float, now: int) -> "Experiment":
        options, state = self.options.rollout, self.rollout
        assert options is not None
        assert state is not None
        later = [step for step in options.steps[state.step + 1 :] if state.status == "running"]
        if share not in later:
            raise SavorError(f"the steps yet to come are {later}; got {share:g}", code="share_invalid")
        after = RolloutState("running", options.steps.index(share), now)
        text = f"{options.variant} goes to {share:.0%} of users, by hand"
        return self._after(Transition(now, state, after, state.share(options), share, "ramped", text, {}), "running")

    def looked(self, results: ExperimentResults, now: int) -> "Experiment":
        """After a look at the results: a roll-out may go on, end or be taken back; nothing else changes by itself."""
        if not self.running or self.options.rollout is None or self.rollout is None:
            return self
        transition = rolling.advance(self.options.rollout, self.rollout, results, now)
        if transition is None:
            return self
        return self._after(transition, "stopped" if transition.after.status == "rolled_back" else "running")

    def redeclared(self, options: ExperimentOptions) -> "Experiment":
        """With other options; a running one stays as it is, since results are of a period with the same ones."""
        return self if self.running or options == self.options else replace(self, options=options)

    def as_json(self) -> dict[str, Any]:
        """JSON values, for the store."""
        return {
            "options": self.options.model_dump(mode="json"),
            "status": self.status,
            "since": self.since,
            "rollout": None if self.rollout is None else vars(self.rollout),
            "changes": [dict(change) for change in self.changes],
        }

    @classmethod
    def from_json(cls, name: str, document: Mapping[str, Any], version: int) -> "Experiment":
        """What `as_json` gave; raises KeyError, TypeError or ValueError where it is something else."""
        return cls(
            name,
            ExperimentOptions.model_validate(document["options"]),
            document["status"],
            int(document["since"]),
            None if document["rollout"] is None else RolloutState(**document["rollout"]),
            tuple(document["changes"]),
            version,
        )

    def _after(self, transition: Transition, status: Status) -> "Experiment":
        return replace(
            self,
            status=status,
            since=transition.after.since if status == "running" else self.since,
            rollout=transition.after,
            changes=self._noted(
                transition.time,
                transition.code,
                transition.text,
                transition.share_before,
                transition.share_after,
                transition.evidence,
            ),
        )

    def _noted(
        self,
        now: int,
        code: str,
        text: str,
        before: float,
        after: float,
        evidence: Mapping[str, Any] | None = None,
    ) -> tuple[Mapping[str, Any], ...]:
        change = {"time": now, "code": code, "text": text, "share_before": before, "share_after": after}
        return (*self.changes, {**change, "evidence": dict(evidence or {})})[-_MOST_CHANGES:]
