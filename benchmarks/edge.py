"""What each variant of an edge model costs and loses, beside the server's exact answers.

    python benchmarks/edge.py PROJECT [--items N] [--users N] [--k N] [--pipeline-users N] [--variant NAME ...]

PROJECT has a published bundle that keeps its networks (`savor train`, `savor publish`). Every variant is made, asked
the same questions as the server (each person's last basket or event, from what they did before) and timed on one
thread. Prints a table in Markdown, and for a neural ranker what it adds on a device. Latency is of one call with its
inputs set, in milliseconds, on the clock and of the processor's time alone, which other programs on the machine
lengthen less.
"""

import argparse
import os
from pathlib import Path
from tempfile import TemporaryDirectory

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from savor.bundle.registry import Registry
from savor.core.folders import ProjectFolder
from savor.export.export_bundle import MODEL, BundleExport
from savor.export.measured import Measured
from savor.export.options import ExportOptions
from savor.export.variant import VARIANTS, variant

HEADER = (
    "| variant | model | bundle | p50 ms | p99 ms | processor p50 | p99 | NDCG@10 lost | first ten alike | all alike |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


def line(one: Measured) -> str:
    parity, latency = one.parity, one.latency
    loss = f"{100 * parity.loss.mean:.2f}% [{100 * parity.loss.low:.2f}, {100 * parity.loss.high:.2f}]"
    cells = (
        one.variant.name,
        f"{len(one.model) / 1e6:.2f} MB",
        f"{one.size / 1e6:.2f} MB",
        f"{latency.p50:.2f}",
        f"{latency.p99:.2f}",
        f"{latency.p50_processor:.2f}",
        f"{latency.p99_processor:.2f}",
        loss,
        f"{100 * parity.agreement.mean:.1f}%",
        f"{100 * parity.agreement_at_k.mean:.1f}%",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project", type=Path)
    parser.add_argument("--items", type=int)
    parser.add_argument("--users", type=int, default=10_000)
    parser.add_argument("--k", type=int, default=100, help="how many items the model finds, and the ranker orders")
    parser.add_argument("--pipeline-users", type=int, default=1000, help="of them, whom the whole pipeline answers too")
    parser.add_argument("--variant", action="append", choices=[one.name for one in VARIANTS])
    given = parser.parse_args()
    bundle = Registry(ProjectFolder(given.project).registry).open()
    options = ExportOptions(items=given.items, users=given.users, k=given.k, pipeline_users=given.pipeline_users)
    with TemporaryDirectory(prefix="savor-edge-") as folder:
        export = BundleExport(bundle, options, Path(folder))
        export.write_tables()
        chosen = [variant(name) for name in given.variant] if given.variant else VARIANTS
        print(f"{len(export.shard.rows):,} items, {len(export.questions):,} people, k = {export.graph.k}", flush=True)
        print("\n".join(HEADER), flush=True)
        measured = []
        for one in chosen:
            measured.append(export.measure(one, export.make(one)))
            print(line(measured[-1]), flush=True)
        best = min(measured, key=lambda one: abs(one.parity.loss.mean))
        (export.work / MODEL).write_bytes(best.model)
        found = export.found(best)
        ranker = export.bring_ranker(found)
        ways = [found] if ranker is None else [found, found, ranker.trial.lists]
        beside = export.beside_pipeline(*ways)
        print(f"\nNDCG@10 of the user tower alone, on the server {best.parity.server.mean:.4f}")
        print(f"beside the whole pipeline of the server, for the same {beside.get('questions', 0)} people:")
        for name, figure in beside.items():
            if name != "questions":
                print(f"  {name} {figure['mean']:.4f} [{figure['low']:.4f}, {figure['high']:.4f}]")
        if ranker is not None:
            print(f"the ranker: {ranker.to_json()}")


if __name__ == "__main__":
    main()
