"""A language model that says what a test wants."""

import re
import time
from collections.abc import Callable

from savor.assistant.providers.errors import NotOfferedError
from savor.assistant.providers.prompt import Prompt
from savor.assistant.providers.provider import Piece, Usage


class Scripted:
    """Says `said(prompt)` in pieces of a few letters.

    Args:
        said: from the prompt to the answer, or to an error that is raised.
        wait: seconds before the first piece.
        remote: whether it is on another machine.
    """

    name = "scripted"

    def __init__(self, said: Callable, wait: float = 0.0, *, remote: bool = False) -> None:
        self._said, self._wait, self.remote = said, wait, remote
        self.prompts: list[Prompt] = []

    def complete(self, prompt, *, limit, schema=None, deadline):
        self.prompts.append(prompt)
        answer = self._said(prompt)
        end = time.monotonic() + self._wait
        while time.monotonic() < end:
            time.sleep(0.005)
        if isinstance(answer, Exception):
            raise answer
        for start in range(0, len(answer), 7):
            yield Piece(answer[start : start + 7])
        yield Piece("", Usage(100, len(answer) // 4, 0.5))

    def likelihoods(self, prompt, answers, *, deadline):
        raise NotOfferedError("a script has no likelihoods")

    def warm_up(self, prompt=None):
        pass

    def close(self):
        pass


def listed(prompt):
    """Id and name of each item of a prompt's list."""
    text = prompt.messages[-1].text
    if "Found: " in text:
        return [(number, name) for name, number in re.findall(r"(?:: |; )([^;]+?) \[(\d+)\]", text.split("\n")[1])]
    lines = text.split("List:\n")[1].splitlines()
    return [(line[1 : line.index("]")], line[line.index("]") + 2 :].split(";")[0]) for line in lines]
