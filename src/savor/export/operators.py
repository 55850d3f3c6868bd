"""Which operators a model needs, and whether the stock runtime has them."""

import re

from savor.core.errors import ExportError

WITHOUT_KERNEL = frozenset({"CUSTOM", "CALL", "CONCAT_EMBEDDINGS", "DELEGATE", "PLACEHOLDER_FOR_GREATER_OP_CODES"})
"""Names in the format of LiteRT that no stock runtime runs."""

_ADVICE = (
    "A device runs only what the stock LiteRT runtime has built in. In Savor's own networks that is a matter of "
    "retrieval.activation and sequence.activation (relu, gelu and swish are there); in a network of your own replace "
    "the layer that uses it"
)


def operators_of(content: bytes) -> tuple[str, ...]:
    """Names of the operators of a model, sorted.

    Args:
        content: a `.tflite` file.

    Raises:
        ExportError: the stock runtime lacks one; names each.
    """
    from ai_edge_litert import schema_py_generated as schema

    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    found, absent = set(), set()
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    for code in model.operatorCodes:
        number = max(int(code.builtinCode), int(code.deprecatedBuiltinCode))
        name = names.get(number, f"number {number}")
        if code.customCode:
            own = code.customCode.decode() if isinstance(code.customCode, bytes) else str(code.customCode)
            absent.add(own.removeprefix("Flex"))
        elif name in WITHOUT_KERNEL or number not in names or name.startswith("STABLEHLO_"):
            absent.add(name)
        else:
            found.add(name)
    if absent:
        raise _unsupported(absent)
    return tuple(sorted(found))


def refusal(message: str) -> ExportError | None:
    """What a converter's `message` says of operators that there are none of; None where it speaks of something else."""
    listed = re.findall(r"(?:TF Select|Custom) ops: ([^\n]+)", message)
    absent = {name.strip().removeprefix("tf.") for line in listed for name in line.split(",") if name.strip()}
    return _unsupported(absent) if absent else None


def _unsupported(absent: set[str]) -> ExportError:
    several = "operators" if len(absent) > 1 else "operator"
    return ExportError(f"the model needs the {several} {', '.join(sorted(absent))}. {_ADVICE}", code="operator_missing")
