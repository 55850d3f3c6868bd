"""`savor summarize`."""

from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from savor.cli.options import AsJson, Directory
from savor.cli.output import next_step, print_json
from savor.core.progress import console, progress

if TYPE_CHECKING:
    from savor.assistant.summarizer import Summarizer
    from savor.data.dataset import Dataset
    from savor.features.text.item_sources import ItemSource
    from savor.features.text.summaries import Summaries

_FIRST_WORDS_SECONDS, _ITEM_SECONDS = 60.0, 120.0
_SAVED_EVERY = 30.0
_MOST_FAILURES = 5
_EXAMPLES = 5


def summarize(
    directory: Directory = Path(),
    items: Annotated[
        int | None, typer.Option(min=1, help="How many items, those with the most events first; all by default.")
    ] = None,
    reviews: Annotated[
        bool, typer.Option("--reviews", help="Let the model read what people wrote, too (see assistant.send_personal).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let the project's language model write a sentence about each item, which the towers then read with its texts.

    What is written already is kept while what it was written from stays as it is.
    """
    from savor.assistant.providers.open_provider import open_provider
    from savor.assistant.summarizer import Summarizer
    from savor.cli.serving_section import read_assistant
    from savor.core.errors import ConfigError
    from savor.core.folders import ProjectFolder
    from savor.data.dataset import Dataset
    from savor.features.text.item_sources import item_sources
    from savor.features.text.summaries import Summaries

    folder = ProjectFolder(directory)
    options = read_assistant(folder)
    dataset = Dataset.open(folder.dataset)
    patient = {"first_words_seconds": _FIRST_WORDS_SECONDS, "timeout_seconds": max(_ITEM_SECONDS, 60.0)}
    provider = open_provider(options.model_copy(update=patient), folder.root)
    if provider is None:
        raise ConfigError(['assistant.provider is "none": name a language model there, as "local"'])
    try:
        summarizer = Summarizer(provider, personal=options.send_personal, seconds=_ITEM_SECONDS)
        if reviews and not summarizer.reads_reviews:
            raise ConfigError(["--reviews: the model is on another machine, and assistant.send_personal is false"])
        summaries = Summaries.load(folder.summaries)
        sources = item_sources(dataset, reviews=reviews)
        rows = _most_chosen(dataset)[:items]
        provider.warm_up()
        written = _write(summarizer, summaries, dataset, sources, rows, provider.name, folder.summaries)
    finally:
        provider.close()
    used = summarizer.usage
    if as_json:
        tokens = used.prompt_tokens + used.completion_tokens
        kept = len(summaries.of)
        print_json({"written": len(written), "kept": kept, "file": str(folder.summaries), "tokens": tokens})
        return
    table = Table("item", "name", "summary", title=f"{len(written):,} written, {len(summaries.of):,} in all")
    for row in written[:_EXAMPLES]:
        item = dataset.item_ids[row]
        table.add_row(item, sources[row].name, summaries.of[item].text)
    console.print(table)
    console.print(
        f"  {used.prompt_tokens:,} tokens read, {used.completion_tokens:,} written, cost {used.cost:.2f}",
        style="dim",
        highlight=False,
    )
    next_step("savor train, then savor evaluate: see whether they help")


def _most_chosen(dataset: "Dataset") -> list[int]:
    import numpy as np

    counts = np.bincount(dataset.events.item, minlength=len(dataset.item_ids))
    return np.argsort(-counts, kind="stable").tolist()  # type: ignore[no-any-return]


def _write(
    summarizer: "Summarizer",
    summaries: "Summaries",
    dataset: "Dataset",
    sources: "list[ItemSource]",
    rows: list[int],
    model: str,
    path: Path,
) -> list[int]:
    """Write what is missing; the rows that were written. What is there is saved, whatever ends this."""
    from savor.assistant.providers.errors import ProviderError
    from savor.features.text.summaries import Summary

    known = set(dataset.item_ids)
    for item in [item for item in summaries.of if item not in known]:
        del summaries.of[item]
    wanted = []
    for row in rows:
        source, found = sources[row], summaries.of.get(dataset.item_ids[row])
        if found is None or (found.source, found.model) != (source.digest, model):
            wanted.append(row)
    done: list[int] = []
    failures, saved = 0, monotonic()
    try:
        with progress("write summaries", len(wanted)) as task:
            for row in wanted:
                try:
                    text = summarizer.write(sources[row])
                except ProviderError:
                    failures += 1
                    if failures >= _MOST_FAILURES:
                        raise
                    continue
                failures = 0
                source = sources[row]
                summaries.of[dataset.item_ids[row]] = Summary(text, source.digest, bool(source.reviews), model)
                done.append(row)
                task.advance(note=source.name[:40])
                if monotonic() - saved > _SAVED_EVERY:
                    summaries.save(path)
                    saved = monotonic()
    finally:
        if done:
            summaries.save(path)
    return done
