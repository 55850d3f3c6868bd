import assert from "node:assert/strict";
import { test } from "node:test";
import { EdgeError } from "../src/edge/edge_error";
import { Features } from "../src/edge/features";
import { itemFilter, type StructuredFilter } from "../src/edge/item_filter";
import { allowedRows, finished } from "../src/edge/ranking";
import { foods } from "./made";

const catalogue = foods();
const features = Features.read(
  JSON.stringify({
    format_version: 1,
    session_gap: 1800,
    events: { kinds: ["purchase"], not_interest: ["hide"], wording: { present: "buy", past: "bought" } },
    inputs: {},
  }),
  catalogue,
);

function rows(filter: StructuredFilter): string {
  const holds = itemFilter(filter, catalogue);
  return catalogue.ids.filter((_, row) => holds(row)).join("");
}

test("filters are those of the server", () => {
  assert.equal(rows({}), "abcde");
  assert.equal(rows({ department: { eq: "dairy" } }), "ab");
  assert.equal(rows({ category: { in: ["bakery", "cheese"] } }), "bcd");
  assert.equal(rows({ category: { not_in: ["bakery", "cheese"] } }), "ae");
  assert.equal(rows({ aisle: { exists: false } }), "de");
  assert.equal(rows({ labels: { in: ["organic"] } }), "ab");
  assert.equal(rows({ labels: { not_in: ["local"] } }), "ace");
  assert.equal(rows({ labels: { exists: true } }), "abd");
  assert.equal(rows({ labels: { exists: false } }), "ce");
  assert.equal(rows({ price: { lte: 1.1 } }), "a");
  assert.equal(rows({ price: { gt: 1.1, lt: 4 } }), "bc");
  assert.equal(rows({ price: { exists: false } }), "d");
  assert.equal(rows({ price: { not_in: [2] } }), "acde");
  assert.equal(rows({ grams: { gte: 100 } }), "ab");
  assert.equal(rows({ in_stock: { eq: false } }), "e");
  assert.equal(rows({ owner: { eq: "mill" } }), "cd");
  assert.throws(() => rows({ colour: { eq: "red" } }), EdgeError);
  assert.throws(() => rows({ price: { like: 3 } }), EdgeError);
});

test("what is out of stock, excluded or in the basket is not allowed, nor what was had if it is not wanted again", () => {
  const events = [
    { item_id: "a", kind: "purchase", time: 1 },
    { item_id: "b", kind: "save", time: 2 },
  ];
  const allowed = (query: object) => [...allowedRows({ num_recommendations: 5, ...query }, events, features, catalogue)].join("");
  assert.equal(allowed({}), "11110");
  assert.equal(allowed({ exclude_items: ["c", "unheard of", "gone"] }), "11010");
  assert.equal(allowed({ context: { basket: ["b"], item_id: "a" } }), "00110");
  assert.equal(allowed({ exclude_seen: true }), "01110");
});

test("a list has not too many of a kind, and is filled with what is popular", () => {
  const everything = Uint8Array.of(1, 1, 1, 1, 1);
  const ranked = [1, 0, 3, 4, 2].map((row, place) => ({ row, score: 1 - place / 10 }));
  const list = (wanted: number, diversity = true, given = ranked) =>
    finished(given, everything, catalogue, wanted, diversity).map(({ row }) => catalogue.ids[row]).join("");
  assert.equal(list(3), "bde");
  assert.equal(list(5), "bdeac");
  assert.equal(list(3, false), "bad");
  assert.equal(list(4, false, ranked.slice(0, 1)), "bcad");
  assert.equal(finished(ranked.slice(0, 1), everything, catalogue, 2, true)[1].score, null);
});

test("what people call an item, and how it is found", () => {
  assert.deepEqual([0, 3].map((row) => catalogue.name(row)), ["Milk", "d"]);
  assert.deepEqual([1, 3, 4].map((row) => catalogue.category(row)), ["cheese", "bakery", ""]);
  assert.equal(catalogue.says(1, ["che", "ee"]), true);
  assert.equal(catalogue.says(1, ["che", "milk"]), false);
  assert.equal(catalogue.priceOf(3), null);
});
