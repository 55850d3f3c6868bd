"""What can go wrong with a language model; each of them means: answer without it."""

from savor.core.errors import SavorError


class ProviderError(SavorError):
    """The language model gives no usable answer to this."""

    code = "provider_failed"


class ProviderAwayError(ProviderError):
    """The language model cannot be reached, turns callers away, or breaks off."""

    code = "provider_away"


class ProviderSlowError(ProviderError):
    """The language model did not begin or did not end in time."""

    code = "provider_slow"


class ProviderBusyError(ProviderError):
    """The language model is there and answers somebody else; this call did not come to its turn in time."""

    code = "provider_busy"


class RefusedError(ProviderError):
    """The language model is there and does not take this request: too long, or a schema it cannot follow."""

    code = "provider_refused"


class BudgetError(ProviderError):
    """What may be spent is spent: of this person for today, or of everybody."""

    code = "provider_budget"


class NotOfferedError(ProviderError):
    """The provider cannot do this, whenever it is asked."""

    code = "provider_not_offered"
