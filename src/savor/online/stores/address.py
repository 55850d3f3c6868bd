"""Where a store is: addresses with their secrets kept in the environment."""

import re

from savor.core.errors import ConfigError
from savor.data.sources.address import expand_variables

_PASSWORD = re.compile(r"://[^:/@\s]*:(?!\$\{\w+\}@)[^@\s]+@")


def store_address(written: str, key: str) -> str:
    """The address to use for the one that stands in the configuration.

    Args:
        written: an URL; `${NAME}` stands for the environment variable NAME.
        key: name of the setting, for messages.

    Raises:
        ConfigError: a password is written out.
        DataError: a variable is not set.
    """
    if _PASSWORD.search(written):
        problem = (
            f"{key}: a password does not belong into a file that is shared and kept; "
            "write ${NAME} in its place and set NAME in the environment"
        )
        raise ConfigError([problem])
    return expand_variables(written)
