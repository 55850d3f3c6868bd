"""Functions over arrays, compiled to machine code."""

from collections.abc import Callable
from typing import Any, TypeVar

from savor.core.errors import MissingDependencyError

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(*arguments: str) -> Callable[[Function], Function]:
    """Compile a function for arguments of these types; it runs without the interpreter's lock.

    The machine code is kept beside the module, in `NUMBA_CACHE_DIR`, or in the user's cache folder, and read from there
    by later processes; where nothing can be written it is compiled in every process. A module that compiles is imported
    when it is first needed, as compiling takes seconds.

    Args:
        arguments: a NumPy type each, with the number of dimensions in brackets where it is an array, as `float32[2]`.
            Arrays must be contiguous in C order, are not written to, and may be read-only.

    Raises:
        MissingDependencyError: Numba is not installed.
    """
    try:
        from numba import njit
    except ImportError:
        raise MissingDependencyError("numba", "serve") from None
    signature = tuple(_type(argument) for argument in arguments)

    def compile_now(function: Function) -> Function:
        options = {"boundscheck": False, "error_model": "numpy", "nogil": True}
        try:
            made = njit([signature], cache=True, **options)(function)
        except RuntimeError:
            made = njit([signature], **options)(function)
        found: Function = made
        return found

    return compile_now


def _type(argument: str) -> Any:
    from numba import types

    name, _, rest = argument.partition("[")
    element = getattr(types, name)
    return types.Array(element, int(rest[:-1]), "C", readonly=True) if rest else element
