import assert from "node:assert/strict";
import { test } from "node:test";
import { EdgeError } from "../src/edge/edge_error";
import { ageBucket, Features, moment } from "../src/edge/features";
import { modelHistory } from "../src/edge/ranking";
import { foods } from "./made";

const HOUR = 3600;
const NOW = 1_700_000_000;
const inputs = {
  history_item: { kind: "history_item", dtype: "int32", shape: [4] },
  history_category: { kind: "history_category", dtype: "int32", shape: [4] },
  history_age: { kind: "history_age", dtype: "int32", shape: [4], most: 23 },
  history_seconds: { kind: "history_seconds", dtype: "int32", shape: [4], most: 10_000 },
  session_item: { kind: "session_item", dtype: "int32", shape: [3] },
  age: { kind: "category", dtype: "int32", shape: [], column: "age", values: ["20-30", "50-60"], buckets: 4 },
  likes: { kind: "tags", dtype: "int32", shape: [2], column: "likes", values: ["a", "b", "c"], buckets: 1 },
  size: {
    kind: "numeric",
    dtype: "float32",
    shape: [4],
    limit: 5,
    columns: [
      { column: "kids", logarithm: false, mean: 1, deviation: 2 },
      { column: "income", logarithm: true, mean: 1, deviation: 0.5 },
    ],
  },
  search_text: { kind: "constant", dtype: "float32", shape: [3], value: 0 },
};

function features(changed: object = {}, kinds = ["purchase"], more: object = {}): Features {
  const document = {
    format_version: 1,
    session_gap: 1800,
    events: { kinds, not_interest: ["hide", "impression"], wording: { present: "buy", past: "bought" } },
    inputs: { ...inputs, ...changed },
    ...more,
  };
  return Features.read(JSON.stringify(document), foods());
}

function made(events: { item_id: string; kind?: string; ago: number; basket_id?: string }[], profile = {}) {
  const all = features();
  const known = events.map(({ ago, kind = "purchase", ...rest }) => ({ ...rest, kind, time: (NOW - ago) * 1000 + 999 }));
  const numbers = all.inputs({ profile, history: modelHistory(known, all, foods()), now: NOW });
  return Object.fromEntries(Object.entries(numbers).map(([name, values]) => [name, [...values]]));
}

test("nobody is all zeros, and numbers say that they are missing", () => {
  const nobody = made([]);
  assert.deepEqual(nobody.history_item, [0, 0, 0, 0]);
  assert.deepEqual(nobody.history_age, [0, 0, 0, 0]);
  assert.deepEqual(nobody.age, [0]);
  assert.deepEqual(nobody.size, [0, 1, 0, 1]);
  assert.deepEqual(nobody.search_text, [0, 0, 0]);
});

test("a history reads from its end, with what the catalogue knows and the model counts", () => {
  const events = [
    { item_id: "gone", ago: 10 * HOUR },
    { item_id: "a", ago: 3 * HOUR },
    { item_id: "b", ago: HOUR, kind: "hide" },
    { item_id: "never heard of", ago: HOUR },
    { item_id: "c", ago: 60, kind: "glance" },
    { item_id: "b", ago: -500 },
  ];
  const known = made(events);
  assert.deepEqual(known.history_item, [12, 13, 11, 70]);
  assert.deepEqual(known.history_category, [6, 7, 5, 8]);
  assert.deepEqual(known.history_age, [1, 1, 3, 4]);
  assert.deepEqual(known.history_seconds, [0, 60, 10_000, 10_000]);
  assert.deepEqual(known.session_item, [12, 13, 0]);
});

test("only the last events are read", () => {
  const events = ["a", "b", "c", "d", "a", "b"].map((item_id, place) => ({ item_id, ago: 100 - place }));
  assert.deepEqual(made(events).history_item, [12, 11, 14, 13]);
  assert.deepEqual(made(events).session_item, [12, 11, 14]);
});

test("a session goes on over short pauses and inside a basket", () => {
  const events = [
    { item_id: "d", ago: 9 * HOUR },
    { item_id: "a", ago: 3 * HOUR, basket_id: "x" },
    { item_id: "b", ago: 1801 + 900, basket_id: "x" },
    { item_id: "c", ago: 1800 },
  ];
  assert.deepEqual(made(events).session_item, [13, 12, 11]);
  assert.deepEqual(made([{ item_id: "c", ago: 1801 }]).session_item, [0, 0, 0]);
});

test("a profile counts in every kind of column", () => {
  const said = made([], { age: "50-60", likes: ["c", "b", "b", "", "a"], kids: 3, income: Math.expm1(1.25) });
  assert.deepEqual(said.age, [6]);
  assert.deepEqual(said.likes, [2, 3]);
  assert.deepEqual(said.size.map((value) => Number(value.toFixed(5))), [1, 0, 0.5, 0]);
  assert.deepEqual(made([], { kids: 1e9, income: -3 }).size, [5, 0, -2, 0]);
});

test("what one had before has a bonus that halves with time", () => {
  const told = features();
  assert.equal(told.repeats, false);
  assert.equal(told.bonus([], NOW), null);
  const document = { own_items: { weight: 0.5, half_life_days: 10, kinds: ["purchase"] } };
  const repeating = features({}, ["purchase"], document);
  const event = (item_id: string, days: number, kind = "purchase") => ({ item_id, kind, time: (NOW - days * 86_400) * 1000 });
  const events = [event("b", 10), event("b", 0), event("c", -1), event("a", 0, "glance"), event("gone", 0)];
  const bonus = repeating.bonus(modelHistory(events, repeating, foods()), NOW);
  const worth = (sum: number) => Math.fround(0.5 * Math.log1p(sum));
  assert.deepEqual([...bonus!], [0, worth(1.5), worth(1), 0, 0]);
});

test("ages double from bucket to bucket", () => {
  const ages = [0, 3599, 3600, 10799, 10800, HOUR * (2 ** 22 - 1), 2 ** 40];
  assert.deepEqual(ages.map((age) => ageBucket(age, 23)), [1, 1, 2, 2, 3, 23, 23]);
});

test("the moment stands on two circles", () => {
  const [daySine, dayCosine] = moment(6 * HOUR);
  assert.ok(Math.abs(daySine - 1) < 1e-6 && Math.abs(dayCosine) < 1e-6);
  assert.deepEqual([...moment(0)], [0, 1, 0, 1]);
});

test("people are asked what the model knows", () => {
  assert.deepEqual(
    features().questions.map(({ column, takes }) => [column, takes]),
    [["age", "text"], ["likes", "texts"], ["kids", "number"], ["income", "number"]],
  );
});

test("an input of a kind that is not known is refused", () => {
  assert.throws(() => features({ odd: { kind: "telepathy", dtype: "int32", shape: [1] } }), EdgeError);
});
