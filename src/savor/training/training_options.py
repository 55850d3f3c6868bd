"""How a training uses the machine."""

from typing import Literal

from pydantic import Field

from savor.core.config import Section


class TrainingOptions(Section):
    """`[training]` in savor.toml; read by the two towers."""

    distribute: Literal["none", "mirrored", "multiworker"] = Field(
        "none",
        description="`mirrored` divides each batch among the devices of this machine, `multiworker` among the machines "
        "named in TF_CONFIG; `savor train --distribute` goes before.",
    )
    mixed_precision: Literal["auto", "bfloat16", "none"] = Field(
        "none",
        description="Whether dense layers multiply in bfloat16 while training; `auto`: where there is a GPU or the "
        "processor has instructions for it.",
    )
    stream: bool | Literal["auto"] = Field(
        "auto",
        description="Whether examples are read from Parquet files while training instead of being held in memory; "
        "`auto`: above 20 million events.",
    )
