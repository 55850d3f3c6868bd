"""Words and pictures of a data set, encoded."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from savor.core.errors import ConfigError
from savor.core.progress import console
from savor.data.dataset import Dataset
from savor.data.sources.address import is_database
from savor.features.embedding_store import EmbeddingStore
from savor.features.images.encoder import ImageEncoder
from savor.features.images.onnx_encoder import OnnxImageEncoder
from savor.features.images.options import ImageOptions
from savor.features.images.source import MEGABYTE, ImageSource
from savor.features.images.vectors import ImageVectors
from savor.features.options import FeatureOptions
from savor.features.searches import Searches
from savor.features.text.cache import TextCache
from savor.features.text.encoder import TextEncoder
from savor.features.text.item_sources import item_sources
from savor.features.text.open_encoder import open_text_encoder
from savor.features.text.options import TextEncoderOptions
from savor.features.text.reviews import review_vectors
from savor.features.text.summaries import Summaries
from savor.features.text.vectors import TextVectors, item_texts

EFFICIENTNET = "efficientnet_b0"


@dataclass(frozen=True)
class Content:
    """What the columns with words and pictures say, as vectors; each is made when it is asked for.

    Attributes:
        dataset: what ingest wrote.
        cache: folder of the embedding stores (`text/`, `images/`).
        base: the project's folder, which relative paths count from.
        features: which of them are wanted, and the text encoder.
        images: the image encoder.
        summaries: file of what a language model wrote about the items; None or no file: nothing.
    """

    dataset: Dataset
    cache: Path
    base: Path
    features: FeatureOptions
    images: ImageOptions
    summaries: Path | None = None

    @cached_property
    def text(self) -> TextVectors | None:
        """Vectors of the items' text columns and summaries."""
        if not self.features.text:
            return None
        texts = item_texts(self.dataset)
        if self.features.summaries and self.summaries is not None and self.summaries.exists():
            sources = {reviews: item_sources(self.dataset, reviews=reviews) for reviews in (False, True)}
            summaries = Summaries.load(self.summaries).texts(self.dataset.item_ids.tolist(), sources)
            texts = [". ".join(filter(None, both)) for both in zip(texts, summaries, strict=True)]
        return TextVectors.encode(texts, self._texts.encode) if any(texts) else None

    @cached_property
    def searches(self) -> Searches | None:
        """What users searched for, at any moment."""
        texts = self.dataset.texts
        if not self.features.search or texts is None or not any(texts.search):
            return None
        if self._kept_here("searches"):
            return None
        encoder = open_text_encoder(self.features.text_encoder, self.base, queries=True)
        cache = TextCache(self.cache / "text", encoder)
        return Searches.encode(texts, len(self.dataset.user_ids), cache.encode, encoder.name)

    def reviews(self, until: int) -> TextVectors | None:
        """Vectors of what was written about the items before `until` (UTC seconds)."""
        texts = self.dataset.texts
        if not self.features.reviews or texts is None or not any(texts.review) or self._kept_here("reviews"):
            return None
        return review_vectors(texts, len(self.dataset.item_ids), until, self._texts.encode)

    @cached_property
    def pictures(self) -> ImageVectors | None:
        """Vectors of the items' pictures; those that cannot be used are reported and left out. None where none can.

        Raises:
            ConfigError: the image encoder cannot be used.
        """
        schema = self.dataset.schema.items
        wanted = self.features.images or self.features.visual_preference
        if not wanted or schema is None or schema.image is None:
            return None
        locations = self.dataset.items.column(schema.image).to_pylist()
        if not any(location and (self.images.allow_urls or "://" not in location) for location in locations):
            # No encoder need be had for nothing.
            why = "it names none, or only addresses, and images.allow_urls is false"
            console.print(f"  ! no picture in {schema.image!r} is read: {why}", style="yellow", highlight=False)
            return None
        encoder = self._image_encoder()
        store = EmbeddingStore(self.cache / "images", encoder.name, encoder.dimension)
        source = ImageSource(
            self._image_folder(schema.source),
            self.cache / "images" / "downloads",
            self.images.allow_urls,
            int(self.images.maximum_megabytes * MEGABYTE),
        )
        vectors, report = ImageVectors.encode(locations, source, encoder, store)
        for line in report.lines:
            console.print(f"  {line}", style="yellow" if line.startswith("!") else "dim", highlight=False)
        return vectors if report.pictures else None

    @cached_property
    def _texts(self) -> TextCache:
        encoder: TextEncoder = open_text_encoder(self.features.text_encoder, self.base)
        return TextCache(self.cache / "text", encoder)

    def _kept_here(self, what: str) -> bool:
        """Whether what people wrote may not be sent to the encoder; says so."""
        choice = self.features.text_encoder
        if not isinstance(choice, TextEncoderOptions) or choice.personal:
            return False
        why = "features.text_encoder is on another machine, and send_personal is false"
        console.print(f"  ! {what} are not encoded: {why}", style="yellow", highlight=False)
        return True

    def _image_encoder(self) -> ImageEncoder:
        options = self.images
        if options.encoder == EFFICIENTNET:
            from savor.training.efficientnet import EfficientNetB0Encoder

            return EfficientNetB0Encoder(self.base / options.weights if options.weights else None)
        if not options.encoder.lower().endswith(".onnx"):
            raise ConfigError(
                [f'images.encoder: {options.encoder!r} is neither "{EFFICIENTNET}" nor the path of an .onnx file']
            )
        path = self.base / options.encoder
        return OnnxImageEncoder(path, options.mean, options.deviation, options.output, options.threads)

    def _image_folder(self, source: str) -> Path:
        if self.images.folder is not None:
            return self.base / self.images.folder
        if is_database(source) or "*" in source:
            return self.base
        return (self.base / source).parent
