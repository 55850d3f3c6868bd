"""Which text encoder to take."""

from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, StringConstraints, model_validator

from savor.core.config import Section

Pooling = Literal["mean", "cls", "max", "last"]
Prefix = Annotated[str, StringConstraints(strip_whitespace=False)]
"""Its last space counts."""


class TextEncoderOptions(Section):
    """`[features.text_encoder]` in savor.toml: a folder with an ONNX model, or an endpoint."""

    folder: str | None = Field(
        None,
        description="Folder of a sentence-transformers model with `tokenizer.json` and `model.onnx` or "
        "`onnx/model.onnx`. Its own files say how to pool, how long a text may be and what goes before it.",
    )
    file: str | None = Field(None, description="The ONNX file in that folder, where it has another name.")
    pooling: Pooling | None = Field(None, description="How tokens become one vector; by default as the folder says.")
    maximum_tokens: int | None = Field(
        None, ge=8, le=32_768, description="Longer texts are cut; by default as trained."
    )
    document_prefix: Prefix | None = Field(
        None, description="Goes before texts of items; by default what the folder says, or nothing."
    )
    query_prefix: Prefix | None = Field(None, description="Goes before what is searched for, likewise.")
    endpoint: str | None = Field(
        None, description="Base address of an OpenAI-compatible service with `/embeddings`, instead of a folder."
    )
    model: str | None = Field(None, description="Name of the model there.")
    key_variable: str = Field("SAVOR_EMBEDDINGS_KEY", description="Environment variable with its key, if it wants one.")
    dimensions: int | None = Field(
        None, ge=1, le=16_384, description="Width to ask it for; by default the model's own."
    )
    batch: int = Field(128, ge=1, le=2048, description="How many texts are sent at a time.")
    timeout_seconds: float = Field(30.0, gt=0, description="How long a batch may take.")
    query_timeout_seconds: float = Field(0.5, gt=0, description="How long what is searched for now may take.")
    retries: int = Field(2, ge=0, le=10, description="How often a batch is sent again.")
    send_personal: bool = Field(
        False, description="Whether what people searched for and wrote may be sent to another machine."
    )

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.folder is None) == (self.endpoint is None):
            raise ValueError("text_encoder takes either a folder or an endpoint")
        if self.endpoint is not None:
            if self.model is None:
                raise ValueError("text_encoder.endpoint needs the name of a model")
            address = urlsplit(self.endpoint)
            if address.scheme not in {"http", "https"} or address.username or address.password:
                raise ValueError("text_encoder.endpoint must begin with http:// or https://, and hold no password")
        return self

    @property
    def remote(self) -> bool:
        """Whether texts leave this machine."""
        if self.endpoint is None:
            return False
        host = urlsplit(self.endpoint).hostname or ""
        try:
            return not ip_address(host).is_loopback
        except ValueError:
            return host != "localhost"

    @property
    def personal(self) -> bool:
        """Whether what people wrote may be encoded."""
        return self.send_personal or not self.remote
