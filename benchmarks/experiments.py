"""What experiments conclude about made users whose truth is known: false alarms, power, coverage.

python benchmarks/experiments.py              # prints a table, about five minutes
python benchmarks/experiments.py --log        # also appends it to benchmarks/LOG.md
"""

import argparse
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from savor.online.experiments.assignment import VariantDraw
from savor.online.experiments.sample_ratio import sample_ratio
from savor.online.experiments.sequential import always_valid_interval
from savor.online.experiments.simulation import SimulatedShop

LOG = Path(__file__).parent / "LOG.md"
ALPHA = 0.05
LEAST_USERS = 100
METRICS = ("ctr", "conversion", "purchases_per_list", "order_value")
HEADER = (
    "| users, effect | metric | ordinary 95% interval errs at some look | always-valid interval errs at some look "
    "| a difference is found | at which look (median) |"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--users", type=int, default=10_000, help="users of each experiment")
    parser.add_argument("--looks", type=int, default=50, help="how often each is looked at")
    parser.add_argument("--runs", type=int, default=400, help="A/A experiments; A/B are a quarter")
    parser.add_argument("--smallest-effect", type=float, default=0.05, help="what intervals are sharpest for")
    parser.add_argument("--log", action="store_true", help="append the table to benchmarks/LOG.md")
    arguments = parser.parse_args()
    lines = [HEADER, "|---|---|---|---|---|---|"]
    for name, arriving, lift, runs in (
        ("come little by little, A/A", 0.5, 0.0, arguments.runs),
        ("all there from the start, A/A", 0.0, 0.0, arguments.runs),
        ("come little by little, +10%", 0.5, 0.1, arguments.runs // 4),
        ("come little by little, +25%", 0.5, 0.25, arguments.runs // 4),
    ):
        shop = SimulatedShop(users=arguments.users, looks=arguments.looks, arriving=arriving, habits=20)
        rows, ratio_alarms = measure(shop, lift, runs, arguments.smallest_effect)
        lines += [f"| {name}, {runs} runs | {row}" for row in rows]
        lines.append(f"| {name} | sample ratio | – | {ratio_alarms:.1%} (at p < .05) | – | – |")
    print("\n".join(lines))
    if arguments.log:
        moment = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
        machine = f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}"
        with LOG.open("a", encoding="utf-8") as log:
            command = " ".join(["python", *sys.argv])
            log.write(f"\n## {moment} experiments\n\n`{command}` · {machine}\n\n" + "\n".join(lines) + "\n")


def measure(shop: SimulatedShop, lift: float, runs: int, smallest: float) -> tuple[list[str], float]:
    truth = expected(shop, lift) if lift else dict.fromkeys(METRICS, 0.0)
    erred, ordinary, found = (dict.fromkeys(METRICS, 0) for _ in range(3))
    when: dict[str, list[int]] = {metric: [] for metric in METRICS}
    ratio_alarms = 0
    ids = [f"user-{number}" for number in range(shop.users)]
    for run in range(runs):
        draw = VariantDraw(f"run {run} {lift} {shop.arriving}", {"control": 1, "candidate": 1})
        variant = np.array([draw.of(user) == "candidate" for user in ids]).astype(np.int64)
        users, moments = shop.run(np.random.default_rng([run, round(1000 * lift)]), variant, lift)
        ratio_alarms += min(sample_ratio(seen.tolist(), [1, 1]).p for seen in users) < ALPHA
        for metric in METRICS:
            missed = plain = False
            first = None
            for look, (seen, (control, candidate)) in enumerate(zip(users, moments[metric], strict=True)):
                if seen.min() < LEAST_USERS:
                    continue
                base, own = control.ratio(), candidate.ratio()
                difference = own.minus(base)
                interval = always_valid_interval(difference, smallest * base.value, ALPHA)
                true = truth[metric]
                if true is not None:
                    missed |= not interval.low <= true <= interval.high
                    plain |= abs(difference.value - true) > 1.959964 * difference.variance**0.5
                if first is None and (interval.low > 0 or interval.high < 0):
                    first = look + 1
            erred[metric] += missed
            ordinary[metric] += plain
            if first is not None:
                found[metric] += 1
                when[metric].append(first)
    rows = []
    for metric in METRICS:
        known = truth[metric] is not None
        shares = [f"{erred_[metric] / runs:.1%}" if known else "–" for erred_ in (ordinary, erred)]
        at = f"{np.median(when[metric]):.0f} of {shop.looks}" if when[metric] else "–"
        rows.append(f"{metric} | {shares[0]} | {shares[1]} | {found[metric] / runs:.1%} | {at} |")
    return rows, ratio_alarms / runs


def expected(shop: SimulatedShop, lift: float) -> dict[str, float | None]:
    """True differences where they are the same at every look; conversion and order value grow with time."""
    return {
        "ctr": shop.click * lift,
        "conversion": None,
        "purchases_per_list": shop.buy * lift,
        "order_value": None,
    }


if __name__ == "__main__":
    main()
