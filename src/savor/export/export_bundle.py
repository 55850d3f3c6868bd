"""From a published bundle to an edge bundle that is known to answer as the server does."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from savor.bundle.bundle import Bundle
from savor.bundle.edge_manifest import EDGE_FORMAT_VERSION, EdgeItemTower, EdgeManifest, EdgeRanker, Runtime, Tensor
from savor.bundle.manifest import FileEntry
from savor.core.clock import Clock, wall_clock
from savor.core.errors import ExportError
from savor.core.native_output import native_output_hidden
from savor.core.progress import progress
from savor.evaluation.bootstrap import Bootstrap
from savor.export.brought_ranker import BroughtRanker, bring_ranker
from savor.export.convert import convert
from savor.export.device_check import check_catalogue, device_inputs
from savor.export.edge_catalogue import kept_for_histories, write_catalogue
from savor.export.edge_features import write_features
from savor.export.edge_files import entries, put_in_place
from savor.export.edge_golden import write_golden
from savor.export.edge_graph import MASK, EdgeGraph
from savor.export.edge_ranker import RankerExport
from savor.export.edge_run import run_edge
from savor.export.fit_own_items import fit_own_items
from savor.export.frozen_network import FrozenNetwork
from savor.export.item_tower import NAME as ITEM_TOWER
from savor.export.item_tower import item_tower
from savor.export.measured import Measured, choose
from savor.export.operators import operators_of
from savor.export.options import DEFAULT_VARIANT, ExportOptions
from savor.export.own_items import OwnItemsBonus
from savor.export.parity import Parity, overlap, require
from savor.export.questions import CUTOFF, Questions
from savor.export.served_lists import served_lists
from savor.export.server_lists import Lists, server_lists, server_vectors
from savor.export.shard import Shard, choose_rows
from savor.export.tidy_model import tidy_model
from savor.export.variant import VARIANTS, Variant, variant
from savor.features.catalogue import Catalogue
from savor.features.feature_space import FeatureSpace
from savor.features.table_encoder import Inputs
from savor.models.litert_tower import LiteRtTower

LEAST_RUNTIME = "2.1.0"
MODEL = "model.tflite"
SIGNATURE = "recommend"
_EXAMPLES = 200
_WAYS = ("edge", "edge_without_ranker", "edge_with_ranker")
"""What a device answers, and, where there is a ranker, what it would without and with it."""


@dataclass(frozen=True)
class Exported:
    """An edge bundle on disk.

    Attributes:
        folder: where it is.
        manifest: what it says of itself.
        chosen: the variant that it holds.
        measured: every variant that was made, in the order of `VARIANTS`.
    """

    folder: Path
    manifest: EdgeManifest
    chosen: Measured
    measured: tuple[Measured, ...]


@dataclass(frozen=True)
class BundleExport:
    """The work of one export.

    Attributes:
        bundle: of the server.
        options: how.
        work: folder for files in the making: of catalogue and features, and one below it for each variant.
    """

    bundle: Bundle
    options: ExportOptions
    work: Path

    @cached_property
    def catalogue(self) -> Catalogue:
        """Of the server."""
        return Catalogue.load(self.bundle.path("catalogue"))

    @cached_property
    def space(self) -> FeatureSpace:
        """Makes the server's inputs."""
        return FeatureSpace.load(self.bundle.path("features"))

    @cached_property
    def shard(self) -> Shard:
        """Which items the device gets."""
        options = self.options
        return choose_rows(
            self.bundle, self.catalogue, items=options.items, where=options.where or None, listed=options.listed
        )

    @cached_property
    def vectors(self) -> NDArray[np.float32]:
        """(I, D) of the device's items."""
        every = np.load(self.bundle.path("vectors/items.npy"), mmap_mode="r", allow_pickle=False)
        return np.ascontiguousarray(every[self.shard.rows], np.float32)

    @cached_property
    def graph(self) -> EdgeGraph:
        """What the model computes."""
        user = FrozenNetwork.load(self.bundle, "towers/networks/user")
        codes = self.space.item_table["item_id"][self.shard.rows]
        return EdgeGraph(user, self.vectors, min(self.options.k, len(self.vectors)), self.options.user_ids, codes)

    @cached_property
    def questions(self) -> Questions:
        """Whom both are asked about."""
        rows = self.shard.rows
        made = Questions.of_bundle(
            self.bundle,
            rows,
            self.catalogue.in_stock[rows],
            kept=kept_for_histories(self.space, rows),
            maximum=self.options.users,
            seed=self.options.seed,
        )
        return replace(made, kinds=tuple(self.bundle.read_json("config.json").get("kinds", ())))

    @cached_property
    def server_inputs(self) -> Inputs:
        """Of the questions, as the server makes them."""
        return self.questions.inputs(self.space, user_ids=self.options.user_ids)

    @cached_property
    def server(self) -> Lists:
        """The server's answers."""
        return server_lists(self.server_users, self.vectors, self.questions, self.graph.k)

    @cached_property
    def server_users(self) -> NDArray[np.float32]:
        """(Q, D) vectors of those who are asked about, as the server makes them."""
        inputs = self.server_inputs
        with native_output_hidden():
            return server_vectors(LiteRtTower.load(self.bundle.path("towers/user.tflite")), inputs)

    @cached_property
    def own_items(self) -> OwnItemsBonus | None:
        """What a device adds for items that somebody had before."""
        with progress("weigh what people take again"):
            return fit_own_items(self.bundle, self.questions, self.server_users, self.vectors)

    @cached_property
    def device_inputs(self) -> Inputs:
        """Of the questions, as the device makes them.

        Raises:
            ExportError: they are not the server's, or the catalogue is not.
        """
        edge = check_catalogue(self.work, self.catalogue, self.shard.rows)
        return device_inputs(self.work, edge, self.questions, self.catalogue.ids, self.server_inputs)

    @cached_property
    def ranker(self) -> RankerExport:
        """Makes the ranker, if there is one."""
        return RankerExport(self.bundle, self.space, self.shard.rows, self.graph.k, self.options.user_ids)

    def write_tables(self) -> None:
        """Write what goes beside the model."""
        write_catalogue(self.bundle, self.catalogue, self.space, self.shard.rows, self.work)
        names = [name for name in self.graph.inputs if name != MASK]
        if self.options.ranker != "never":
            names += [name for name in self.ranker.user_inputs if name not in names]
        write_features(
            self.bundle, self.space, names, self.work, user_ids=self.options.user_ids, own_items=self.own_items
        )

    def make(self, one: Variant) -> bytes:
        """The model in one variant.

        Raises:
            ExportError: it cannot be made.
        """
        graph = self.graph
        with progress(f"the {one.name} model"):
            model = convert(graph.function(one), graph.inputs, SIGNATURE, one, self._examples)
            return tidy_model(model, graph.whole_numbers(one), halve=one.items != "plain")

    def measure(self, one: Variant, model: bytes) -> Measured:
        """Ask `model` every question.

        Raises:
            ExportError: it needs an operator that the stock runtime lacks, or the device's inputs are not the server's.
        """
        operators = operators_of(model)
        folder = self.work / one.name
        folder.mkdir(exist_ok=True)
        (folder / MODEL).write_bytes(model)
        with progress(f"ask the {one.name} model"):
            lists, latency = run_edge(folder, self.device_inputs, self.questions)
        parity = Parity.of(self.questions, self.server, lists, seed=self.options.seed)
        beside = sum(path.stat().st_size for path in self.work.iterdir() if path.is_file() and path.name != MODEL)
        return Measured(one, model, beside + len(model), parity, latency, lists, operators)

    def require(self, measured: Measured) -> None:
        """Raise where the model does not answer as the server does.

        Raises:
            ExportError: how far, and where.
        """
        ids = [self.catalogue.ids[row] for row in self.shard.rows.tolist()]
        require(measured.parity, self.options.bounds, self.questions, self.server, measured.lists, ids)

    def found(self, measured: Measured) -> Lists:
        """What the device's model finds for every question, with its bonus for own items."""
        if self.own_items is None:
            return measured.lists
        folder = self.work / measured.variant.name
        return run_edge(folder, self.device_inputs, replace(self.questions, bonus=self.own_items))[0]

    def bring_ranker(self, found: Lists) -> BroughtRanker | None:
        """Write the files of the ranker and try it on what the device `found`; they stay where it is wanted.

        None where there is nothing to try. Raises as `bring_ranker`.
        """
        if self.options.ranker == "never":
            return None
        questions = replace(self.questions, bonus=self.own_items)
        return bring_ranker(self.ranker, self.catalogue, self.options, questions, self.device_inputs, found, self.work)

    def complete(self, ranker: BroughtRanker | None) -> dict[str, FileEntry]:
        """Write the examples, the last of the files; all of them by name."""
        write_golden(
            self.bundle,
            self.catalogue,
            self.space,
            self.shard.rows,
            self.work,
            user_ids=self.options.user_ids,
            seed=self.options.seed,
            ranking=ranker.golden if ranker is not None and ranker.shipped else None,
        )
        return entries(self.work)

    def beside_pipeline(self, *lists: Lists) -> dict[str, Any]:
        """Agreement of whole answers with those of the whole pipeline of the server, and NDCG@10 of both.

        Empty where nobody is to be asked.

        Args:
            lists: what the device answers, and other ways that it could, in the order of `_WAYS`.
        """
        count = min(self.options.pipeline_users, len(self.questions))
        if not count:
            return {}
        asked = np.unique(np.linspace(0, len(self.questions) - 1, count).astype(np.intp))
        with progress("ask the whole pipeline of the server"):
            served = served_lists(self.bundle, self.questions, asked)
        some = self.questions.only(asked)
        columns = [overlap(served, lists[0].items[asked][:, :CUTOFF]), some.ndcg(served)]
        columns += [some.ndcg(one.items[asked]) for one in lists]
        found = Bootstrap(len(asked), seed=self.options.seed).intervals(np.stack(columns, axis=1))
        names = ("agreement", "server", *_WAYS[: len(lists)])
        return {"questions": len(asked)} | {name: one.as_json() for name, one in zip(names, found, strict=True)}

    def _examples(self) -> Iterator[Mapping[str, NDArray[Any]]]:
        names = [name for name in self.graph.inputs if name != MASK]
        for number, mask in enumerate(self.questions.masks(0.0)):
            if number == _EXAMPLES:
                return
            given = {name: self.server_inputs[name][number : number + 1] for name in names}
            yield {**given, MASK: mask[None].copy()}


def export_bundle(bundle: Bundle, options: ExportOptions, out_parent: Path, *, clock: Clock = wall_clock) -> Exported:
    """Write an edge bundle of `bundle` to `out_parent/<id>`.

    Args:
        bundle: with kept networks.
        options: what it shall be like.
        out_parent: folder to make it in.
        clock: gives the moment written as `created`.

    Raises:
        ExportError: it cannot be made, nothing fits, or its answers are not the server's; nothing is written.
        BundleError: `bundle` is damaged, or the disk refuses.
    """
    with TemporaryDirectory(prefix="savor-edge-") as folder:
        export = BundleExport(bundle, options, Path(folder))
        export.write_tables()
        wanted: tuple[Variant, ...] = VARIANTS
        if options.variant is not None or not options.choose:
            wanted = (variant(options.variant or DEFAULT_VARIANT),)
        measured = [export.measure(one, export.make(one)) for one in wanted]
        chosen = measured[0]
        if len(wanted) > 1:
            chosen = choose(measured, options.bounds, options.maximum_size)
        export.require(chosen)
        (export.work / MODEL).write_bytes(chosen.model)
        operators, tower = set(chosen.operators), None
        if options.item_tower:
            content, tower = item_tower(bundle, export.space, export.vectors, export.shard.rows)
            (export.work / ITEM_TOWER).write_bytes(content)
            operators |= set(operators_of(content))
        found = export.found(chosen)
        ranker = export.bring_ranker(found)
        files = export.complete(ranker)
        if ranker is not None and ranker.shipped and options.ranker == "auto" and options.is_over(_size(files)):
            ranker = ranker.left_behind()
            files = export.complete(ranker)
        shipped = ranker if ranker is not None and ranker.shipped else None
        operators |= shipped.operators if shipped is not None else set()
        ways = [found] if ranker is None else [ranker.trial.lists if shipped else found, found, ranker.trial.lists]
        parity = {**chosen.to_json(), "pipeline": export.beside_pipeline(*ways)}
        if ranker is not None:
            parity["ranker"] = ranker.to_json()
        if (own := export.own_items) is not None and own.gain is not None:
            parity["own_items_gain"] = own.gain.as_json()
        size = _size(files)
        later = size - chosen.size
        if options.is_over(size):
            raise ExportError(
                f"the {chosen.variant.name} edge bundle has {size:,} bytes, and {options.maximum_size:,} are allowed. "
                "Export fewer items with --items, or let savor export choose with --max-loss",
                code="no_variant_fits",
            )
        others = (None if shipped is None else shipped.said, tower)
        manifest = _manifest(export, chosen, sorted(operators), others, files, parity | {"bundle_bytes": size}, clock())
        placed = put_in_place(export.work, manifest, out_parent)
        measured = [replace(one, size=one.size + later) for one in measured]
        return Exported(placed, manifest, replace(chosen, size=size), tuple(measured))


def _size(files: Mapping[str, FileEntry]) -> int:
    return sum(entry.size for entry in files.values())


def _manifest(
    export: BundleExport,
    chosen: Measured,
    operators: list[str],
    others: tuple[EdgeRanker | None, EdgeItemTower | None],
    files: dict[str, FileEntry],
    parity: dict[str, Any],
    created: int,
) -> EdgeManifest:
    graph, k = export.graph, export.graph.k
    inputs = {
        name: Tensor(dtype=spec.dtype.name, shape=tuple(map(int, spec.shape))) for name, spec in graph.inputs.items()
    }
    outputs = {"items": Tensor(dtype="int32", shape=(1, k)), "scores": Tensor(dtype="float32", shape=(1, k))}
    return EdgeManifest(
        format_version=EDGE_FORMAT_VERSION,
        name=export.options.name,
        bundle=export.bundle.id,
        created=created,
        variant=chosen.variant.name,
        runtime=Runtime(litert=LEAST_RUNTIME, operators=tuple(operators)),
        number_of_items=len(export.shard.rows),
        k=k,
        inputs=inputs,
        outputs=outputs,
        ranker=others[0],
        item_tower=others[1],
        shard=export.shard.described,
        user_ids=export.options.user_ids,
        files=files,
        parity=parity,
    )
