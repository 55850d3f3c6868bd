"""A stage that did something else than it promised."""


class ContractError(Exception):
    """What a stage returned has the wrong type, length or values."""
