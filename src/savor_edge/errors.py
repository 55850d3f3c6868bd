"""The errors that the edge runtime raises on purpose."""


class EdgeError(Exception):
    """Something a person can act on: says what was expected, what came and what to do.

    Args:
        message: one or two sentences.
        code: a stable name for programs; those that the server has too are the same there.
    """

    def __init__(self, message: str, *, code: str = "edge_error") -> None:
        super().__init__(message)
        self.code = code
