import assert from "node:assert/strict";
import { test } from "node:test";
import { Arrays, float16 } from "../src/edge/arrays";
import { EdgeError } from "../src/edge/edge_error";
import type { Deed } from "../src/edge/history";
import { Ranker } from "../src/edge/ranker";
import type { Asked, FoundRow } from "../src/edge/source_columns";
import { foods } from "./made";

const DAY = 86_400;
const NOW = 20_000 * DAY;
const COLUMNS = ["ann_rank", "buy_again_rank", "trending_rank", "co_purchase_score", "vector_fit"];
const statistics = { horizon_days: 28, item: ["gap", "buyers"], category: ["trips_28d"], levels: ["aisle"] };
const sources = {
  columns: COLUMNS,
  ann: { most: 3 },
  buy_again: { most: 2, half_life_days: 10, kinds: [0] },
  trending: { most: 2 },
};

/** A ranker of five foods; each item's statistics are its row. */
function made(changed: object = {}, features?: string[]) {
  const items = Float32Array.from({ length: 5 * 5 }, (_, place) => Math.floor(place / 5));
  const bytes = new ArrayBuffer(140);
  new Float32Array(bytes, 0, 25).set(items);
  new Float32Array(bytes, 100, 4).set([1, 2, 3, 4]);
  new Uint8Array(bytes, 116, 1).set([9]);
  new Uint8Array(bytes, 120, 3).set([4, 2, 0]);
  new Float32Array(bytes, 124, 3).set([30, 20, 10]);
  const document = {
    format_version: 1,
    usual_weights: { ctr: 1 },
    weights: { home: { ctr: 1, rating: 0.5 } },
    statistics,
    sources,
    arrays: {
      items: { dtype: "float32", offset: 0, length: 25 },
      "category/0": { dtype: "float32", offset: 100, length: 4 },
      "kept/0": { dtype: "uint8", offset: 116, length: 1 },
      trending_item: { dtype: "uint8", offset: 120, length: 3 },
      trending: { dtype: "float32", offset: 124, length: 3 },
    },
    ...changed,
  };
  const names = features ?? expectedNames;
  const manifest = { candidates: 6, features: names, inputs: {}, outputs: {} };
  return Ranker.read(JSON.stringify(document), bytes, manifest, foods());
}

const own =
  "count count_7d count_14d count_horizon count_horizon_2 count_horizon_3 count_horizon_4 decayed_30d decayed_90d decayed_250d " +
  "days_since days_since_first gap overdue gap_deviation last_gap overdue_last trips_since trip_rate trip_rate_90d overdue_trips " +
  "mean_value rate period_share";
const level = "trips count_28d decayed_90d days_since gap overdue distinct_items novelty share item_share price_difference trip_rate_90d";
const person = "trips trips_28d trips_90d items_per_trip days_since gap distinct_items novelty count_horizon mean_log_value days_since_first";
const expectedNames = [
  ...own.split(" ").map((name) => `own.${name}`),
  ...level.split(" ").map((name) => `aisle.own.${name}`),
  ...person.split(" ").map((name) => `user.${name}`),
  ...["gap", "buyers", "log_price", "log_price_less_usual"].map((name) => `item.${name}`),
  ...["trips_28d", "share", "relative_price"].map((name) => `aisle.item.${name}`),
  ...COLUMNS,
];

function deed(item: number, days: number, more: Partial<Deed> = {}): Deed {
  return { item, time: NOW - days * DAY, basket: -1, own: true, kind: 0, value: 1, price: Number.NaN, ...more };
}

function asked(history: Deed[], more: Partial<Asked> = {}): Asked {
  return { history, now: NOW, allowed: Uint8Array.of(1, 1, 1, 1, 0), bonus: null, number: 1, excludeSeen: false, ...more };
}

function lines(question: Asked, found: FoundRow[]): Record<string, number>[] {
  const matrix = made()!.matrix(question, found);
  return found.map((_, place) => Object.fromEntries(expectedNames.map((name, at) => [name, matrix[place * expectedNames.length + at]])));
}

test("16 bits are a number", () => {
  const bits = [0x0000, 0x3c00, 0xbc00, 0x7bff, 0x0001, 0x3555, 0x7c00, 0xfc00];
  const numbers = [0, 1, -1, 65504, 2 ** -24, 0.333251953125, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  assert.deepEqual(bits.map(float16), numbers);
  assert.ok(Number.isNaN(float16(0x7e00)));
  const arrays = new Arrays("a file", { half: { dtype: "float16", offset: 2, length: 1 } }, Uint16Array.of(7, 0x3c00).buffer);
  assert.equal(arrays.floats("half").at(0), 1);
  assert.throws(() => arrays.get("other"), EdgeError);
  assert.throws(() => new Arrays("a file", { half: { dtype: "float16", offset: 2, length: 9 } }, new ArrayBuffer(4)).floats("half"), EdgeError);
});

test("a history is crossed with candidates", () => {
  const history = [deed(1, 20), deed(1, 20, { price: 5 }), deed(2, 12), deed(1, 6, { price: 3 }), deed(5, 2)];
  const [milk, bread] = lines(asked(history), [{ row: 1, score: 0.5 }, { row: 3, score: 0.25 }]);
  assert.equal(milk["own.count"], 2);
  assert.equal(milk["own.count_7d"], 1);
  assert.equal(milk["own.days_since"], 6);
  assert.equal(milk["own.last_gap"], 14);
  assert.equal(milk["own.gap"], (14 + 1) / 2);
  assert.equal(milk["own.mean_value"], 4.5);
  assert.equal(milk["own.trips_since"], 1);
  assert.equal(milk["aisle.own.trips"], 2);
  assert.equal(milk["user.trips"], 4);
  assert.equal(milk["user.distinct_items"], 3);
  assert.equal(milk["item.buyers"], 1);
  assert.equal(milk["aisle.item.trips_28d"], 3);
  assert.ok(Number.isNaN(bread["own.days_since"]));
  assert.equal(bread["own.count"], 0);
  assert.equal(bread["item.gap"], 3);
});

test("sources say what they know, and nothing else", () => {
  const history = [deed(2, 30), deed(1, 3), deed(0, 1, { kind: -1 }), deed(2, 1)];
  const bonus = Float32Array.of(0, 0.5, 0, 0, 0);
  const found = [{ row: 1, score: 0.75 }, { row: 2, score: 0.5 }, { row: 0, score: 0.3 }];
  const [milk, cheese, first] = lines(asked(history, { bonus }), found);
  assert.deepEqual([milk, cheese, first].map((one) => one.vector_fit), [0.25, 0.5, Math.fround(0.3)]);
  assert.deepEqual([milk, cheese, first].map((one) => one.ann_rank), [Number.NaN, 1, 2]);
  assert.deepEqual([milk, cheese, first].map((one) => one.buy_again_rank), [2, 1, Number.NaN]);
  assert.deepEqual([milk, cheese, first].map((one) => one.trending_rank), [Number.NaN, 1, 2]);
  assert.ok([milk, cheese, first].every((one) => Number.isNaN(one.co_purchase_score)));
  const [discovered] = lines(asked(history, { excludeSeen: true }), found);
  assert.ok(Number.isNaN(discovered.buy_again_rank));
});

test("the order is that of the weighted heads, ties by row", async () => {
  const found = [{ row: 3, score: 0.9 }, { row: 1, score: 0.8 }, { row: 0, score: 0.7 }];
  const ranker = made()!;
  const list = await ranker.rank(asked([]), { user_category_0: Int32Array.of(7) }, found, async (inputs, excludeSeen) => {
    assert.deepEqual([...inputs.items], [3, 1, 0, 0, 0, 0]);
    assert.deepEqual([...inputs.user_category_0], [7]);
    assert.equal(inputs.features.length, 6 * expectedNames.length);
    assert.ok(inputs.features.subarray(3 * expectedNames.length).every((value) => Number.isNaN(value)));
    assert.equal(excludeSeen, false);
    return { ctr: Float32Array.of(0.25, 0.5, 0.5, 9, 9, 9), rating: Float32Array.of(1, 0, 0, 9, 9, 9) };
  });
  assert.deepEqual(list, [{ row: 3, score: 0.75 }, { row: 0, score: 0.5 }, { row: 1, score: 0.5 }]);
  const heads = { ctr: Float32Array.of(1, 2, 3, 0, 0, 0), rating: Float32Array.of(9, 0, 0, 0, 0, 0) };
  const usual = await ranker.rank(asked([]), {}, found, async () => heads, "discover");
  assert.deepEqual(usual.map(({ row }) => row), [0, 1, 3]);
});

test("a ranker of a newer kind is left aside, and a damaged one is refused", () => {
  assert.equal(made({ format_version: 2 }), null);
  assert.equal(made({}, [...expectedNames, "telepathy"]), null);
  assert.throws(() => made({ statistics: { ...statistics, levels: ["galaxy"] } }), EdgeError);
});
