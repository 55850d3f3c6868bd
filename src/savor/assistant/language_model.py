"""The language model of a project, as everything that asks one uses it."""

from contextlib import suppress
from pathlib import Path

from savor.assistant.metered import Metered
from savor.assistant.options import AssistantOptions
from savor.assistant.prompts import opening_prompt
from savor.assistant.providers.errors import ProviderError
from savor.assistant.providers.open_provider import open_provider
from savor.assistant.providers.prices import Prices
from savor.assistant.providers.prompt import Prompt
from savor.assistant.providers.provider import Provider
from savor.assistant.ranking.stage import LanguageModelStage
from savor.features.catalogue import Catalogue
from savor.online.stores.assistant_accounts import AssistantAccounts


class LanguageModel:
    """A provider with its accounts. `close` it in the end.

    Args:
        options: `[assistant]` of savor.toml.
        accounts: where its use is counted; None: it is not, and there are no budgets.
        base: folder that files of the options count from.

    Raises:
        ConfigError: a file or an address cannot be used.
        MissingDependencyError: a package is not installed.
    """

    def __init__(
        self, options: AssistantOptions, accounts: AssistantAccounts | None = None, base: Path | None = None
    ) -> None:
        self._options = options
        self.provider = open_provider(options, base)
        self._metered: Metered | None = None
        if self.provider is not None and accounts is not None:
            prices = Prices(options.price_prompt, options.price_completion)
            self._metered = Metered(self.provider, accounts, options.budget, prices)

    def of(self, user_id: str) -> Provider | None:
        """The provider as this person may use it; None where there is none."""
        return self.provider if self._metered is None else self._metered.of(user_id)

    def stage(self, catalogue: Catalogue, weight: float) -> LanguageModelStage:
        """A ranking stage over a catalogue; it asks nothing where the history may not be sent to the provider."""
        return LanguageModelStage(catalogue.names, self._for_history, weight, self._options.ranking)

    def warm_up_in_background(self) -> None:
        """Load the model, or reach it, with the prompt that conversations begin with."""
        if self.provider is not None:
            self.provider.warm_up_in_background(self._opening(self.provider))

    def warm_up(self) -> None:
        """The same, and wait until it is done; where that fails, it is tried again in the background."""
        if self.provider is not None:
            with suppress(ProviderError):
                self.provider.warm_up(self._opening(self.provider))

    def close(self) -> None:
        """Give the provider back."""
        if self.provider is not None:
            self.provider.close()

    @staticmethod
    def _opening(provider: Provider) -> Prompt:
        return opening_prompt(short=not provider.remote)

    def _for_history(self, user_id: str) -> Provider | None:
        provider = self.of(user_id)
        if provider is not None and provider.remote and not self._options.send_personal:
            return None
        return provider
