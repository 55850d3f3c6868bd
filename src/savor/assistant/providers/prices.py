"""What tokens cost."""

from dataclasses import dataclass

from savor.assistant.providers.provider import Usage

_MILLION = 1_000_000
_BYTES_OF_A_TOKEN = 3


@dataclass(frozen=True)
class Prices:
    """Of a million tokens, in one currency."""

    prompt: float = 0.0
    completion: float = 0.0

    def usage(self, prompt_tokens: int, completion_tokens: int) -> Usage:
        """With its cost."""
        cost = (prompt_tokens * self.prompt + completion_tokens * self.completion) / _MILLION
        return Usage(prompt_tokens, completion_tokens, cost)


def estimated_tokens(text: str) -> int:
    """About how many tokens a text has, rather too many: one for every three bytes, and one more."""
    return len(text.encode("utf-8", "replace")) // _BYTES_OF_A_TOKEN + 1
