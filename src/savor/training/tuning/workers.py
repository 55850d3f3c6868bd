"""Several processes that take trials of one study."""

from collections.abc import Callable
from multiprocessing import get_context, parent_process
from time import sleep
from typing import Any

from savor.core.errors import TrainingError

Work = Callable[[Any, int, Callable[[], bool]], None]
"""From a picklable task, the worker's number and whether to take another trial."""


class Quota:
    """How many trials are left to take, shared by processes."""

    def __init__(self, context: Any, trials: int) -> None:
        self._left = context.Value("i", trials)

    def take(self) -> bool:
        """One less, unless there are none, or whoever wanted them is gone."""
        parent = parent_process()
        if parent is not None and not parent.is_alive():
            return False
        with self._left.get_lock():
            if self._left.value <= 0:
                return False
            self._left.value -= 1
            return True


def run_workers(work: Work, task: Any, trials: int, jobs: int, watch: Callable[[], None]) -> None:
    """Run `jobs` processes until `trials` were taken.

    One that is killed is named by `watch`, and the others take what is left.

    Args:
        work: what each does; a function of a module, as each process imports it anew.
        task: its first argument.
        trials: how many to take in all.
        jobs: how many processes.
        watch: called several times a second, and once at the end.

    Raises:
        TrainingError: every process ended with an error.
    """
    context = get_context("spawn")
    quota = Quota(context, trials)
    processes = [context.Process(target=work, args=(task, number, quota.take)) for number in range(jobs)]
    for process in processes:
        process.start()
    try:
        while any(process.is_alive() for process in processes):
            sleep(0.2)
            watch()
    finally:
        for process in processes:
            process.join()
        watch()
    if all(process.exitcode != 0 for process in processes):
        raise TrainingError("every worker ended with an error; what was tried is kept, go on with: savor tune --resume")
