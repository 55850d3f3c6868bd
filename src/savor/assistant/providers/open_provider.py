"""The provider that the options name."""

import os
from pathlib import Path

from savor.assistant.options import AssistantOptions
from savor.assistant.providers.guarded import Guarded
from savor.assistant.providers.prices import Prices
from savor.assistant.providers.provider import Provider
from savor.assistant.providers.recording import Recording, Replaying
from savor.assistant.providers.retrying import Retrying

_RETRY_WINDOW = 0.25


def open_provider(options: AssistantOptions, base: Path | None = None) -> Guarded | None:
    """A provider that is tried again within bounds, and is not asked while it is known to be away or slow.

    Nothing is loaded or connected yet: `warm_up` or `warm_up_in_background` does.

    Args:
        options: of `[assistant]`.
        base: folder that relative files count from.

    Returns:
        None for the provider `none`.

    Raises:
        ConfigError: a file or an address cannot be used.
        MissingDependencyError: a package is not installed.
    """
    found = _plain(options, base or Path())
    if found is None:
        return None
    if options.provider == "openai":
        found = Retrying(found, options.retries, options.retry_share, _RETRY_WINDOW * options.first_words_seconds)
    if options.recording is not None and options.provider != "replay":
        found = Recording(found, (base or Path()) / options.recording)
    return Guarded(found, options.recover_seconds)


def _plain(options: AssistantOptions, base: Path) -> Provider | None:
    prices = Prices(options.price_prompt, options.price_completion)
    match options.provider:
        case "none":
            return None
        case "replay":
            assert options.recording is not None
            return Replaying(base / options.recording)
        case "local":
            from savor.assistant.providers.local import LocalProvider

            return LocalProvider(
                base / options.model if options.model else None,
                threads=options.threads,
                context=options.context,
                temperature=options.temperature,
                patience=options.first_words_seconds,
                prices=prices,
            )
        case "openai":
            from savor.assistant.providers.openai_compatible import OpenAICompatible

            assert options.model is not None
            return OpenAICompatible(
                options.model,
                options.base_url,
                os.environ.get(options.key_variable, ""),
                temperature=options.temperature,
                limit_parameter=options.limit_parameter,
                patience=options.first_words_seconds,
                prices=prices,
            )
