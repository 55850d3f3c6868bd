"""One query under way: runs stages one by one, and keeps account of them."""

from collections.abc import Callable
from time import perf_counter_ns
from typing import Any, TypeVar

from savor.core.errors import PipelineError
from savor.pipeline.failure import ContractError
from savor.pipeline.query import Query
from savor.pipeline.result import Drop, Failure, Fallback
from savor.pipeline.stage import Stage

Value = TypeVar("Value")


class Request:
    """What was found out and what went wrong so far.

    Attributes:
        query: what is asked.
        hydrated: by column.
        timings: nanoseconds by stage.
        dropped, failures, fallbacks: as in `Result`.
        halftime: half of the time to the deadline is gone then: no optional source begins after it, so that there is
            time to rank what the others brought. None without a deadline.
    """

    __slots__ = ("dropped", "failures", "fallbacks", "halftime", "hydrated", "query", "timings")

    def __init__(self, query: Query) -> None:
        self.query = query
        self.hydrated: dict[str, Any] = {}
        self.timings: dict[str, int] = {}
        self.dropped: list[Drop] = []
        self.failures: list[Failure] = []
        self.fallbacks: list[Fallback] = []
        self.halftime: int | None = None
        if query.deadline is not None:
            begun = perf_counter_ns()
            self.halftime = begun + (query.deadline - begun) // 2

    def attempt(
        self,
        stage: Stage,
        work: Callable[..., Value],
        *arguments: Any,
        given: frozenset[str] = frozenset(),
        until: int | None = None,
    ) -> Value | None:
        """Run one stage's work.

        Args:
            stage: whose work it is.
            work: called with `arguments`; does it, and checks what comes out.
            arguments: for `work`.
            given: columns that the stage reads and that are not hydrated but with the candidates.
            until: `perf_counter_ns` after which it does not begin; None is the deadline of the query.

        Returns:
            What `work` returns; None where an optional stage was left out or failed, which is then on record.

        Raises:
            PipelineError: a required stage failed (code `stage_failed`).
        """
        # What is read is written before, as wiring made sure, unless something failed.
        if self.failures and (missing := [name for name in stage.reads if name not in {*self.hydrated, *given}]):
            self._failed(stage, "missing_input", f"there is no {', '.join(sorted(missing))}")
            return None
        started = perf_counter_ns()
        deadline = until or self.query.deadline
        if deadline is not None and started > deadline and not stage.required:
            self._failed(stage, "deadline", "the time was up before it began")
            return None
        try:
            return work(*arguments)
        except ContractError as error:
            self._failed(stage, "contract", str(error))
            return None
        except Exception as error:  # noqa: BLE001 - whatever an optional stage does, the answer must still come
            self._failed(stage, "error", f"{type(error).__name__}: {error}", error)
            return None
        finally:
            self.timings[stage.name] = self.timings.get(stage.name, 0) + perf_counter_ns() - started

    def _failed(self, stage: Stage, kind: str, message: str, cause: Exception | None = None) -> None:
        if stage.required:
            raise PipelineError(
                f"required stage {stage.name!r} failed ({kind}: {message}); nothing may be shown without it",
                code="stage_failed",
            ) from cause
        self.failures.append(Failure(stage.name, kind, message))
        self.fallbacks.append(Fallback(f"{stage.name}_{kind}", f"{stage.name} was left out ({_WHY[kind]})"))


_WHY = {
    "error": "it failed",
    "contract": "it broke its contract",
    "missing_input": "what it needs is missing",
    "deadline": "no time was left",
}
