import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { canonicalJson } from "../src/edge/canonical_json";
import { Codes } from "../src/edge/codes";
import { crc32 } from "../src/edge/crc32";
import { EdgeError } from "../src/edge/edge_error";
import { type EdgeManifest, readManifest } from "../src/edge/manifest";
import { hexadecimal, sha256, sha256ByHand } from "../src/edge/sha256";

test("CRC-32 is that of zlib", () => {
  assert.equal(crc32("dairy"), 1524405429);
  assert.equal(crc32("123456789"), 3421780262);
  assert.equal(crc32(""), 0);
});

test("texts become codes: unknown, buckets, then known ones", () => {
  const codes = new Codes(["bakery", "dairy"], 4);
  assert.deepEqual(["", "bakery", "dairy", "Käse 🧀"].map((text) => codes.of(text)), [0, 5, 6, 1 + (crc32("Käse 🧀") % 4)]);
});

test("SHA-256 by hand is SHA-256", async () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 1000, 100_000]) {
    const bytes = Uint8Array.from({ length }, (_, place) => (place * 31 + length) & 255);
    const expected = createHash("sha256").update(bytes).digest("hex");
    assert.equal(hexadecimal(sha256ByHand(bytes)), expected);
    assert.equal(await sha256(bytes), expected);
  }
});

test("canonical JSON sorts names by code points and leaves letters as they are", () => {
  const value = { "\u{1f9c0}": 1, "\uffff": [true, null, "ü\n\u007f"], a: { c: 1, b: [] } };
  assert.equal(canonicalJson(value), '{"a":{"b":[],"c":1},"\uffff":[true,null,"ü\\n\u007f"],"\u{1f9c0}":1}');
});

const file = { size: 3, sha256: "0".repeat(64) };
const made = {
  format_version: 1,
  name: "shop",
  bundle: "0".repeat(16),
  variant: "float32",
  runtime: { litert: "2.1.0" },
  number_of_items: 5,
  k: 5,
  inputs: { mask: { dtype: "float32", shape: [1, 5] } },
  outputs: { items: { dtype: "int32", shape: [1, 5] }, scores: { dtype: "float32", shape: [1, 5] } },
  shard: null,
  files: { "model.tflite": file, "catalogue.json": file, "features.json": file, "golden.json": file },
};

async function manifestOf(changed: object, created = 1): Promise<string> {
  const document = { ...made, ...changed };
  const id = (await sha256(new TextEncoder().encode(canonicalJson(document as never)))).slice(0, 16);
  return JSON.stringify({ id, created, parity: { loss: 0.1 }, ...document });
}

test("a manifest names what it holds, whatever else is said beside it", async () => {
  const manifest: EdgeManifest = await readManifest(await manifestOf({}), "2.5.3");
  assert.equal(manifest.number_of_items, 5);
  assert.equal((await readManifest(await manifestOf({}, 2), "2.5.3")).id, manifest.id);
});

test("what cannot be used is refused, with the reason", async () => {
  const refused = async (text: string, reason: RegExp) =>
    assert.rejects(readManifest(text, "2.5.3"), (error: Error) => error instanceof EdgeError && reason.test(error.message));
  await refused("{", /not JSON/);
  await refused("[]", /not an object/);
  await refused((await manifestOf({})).replace('"shop"', '"shoq"'), /was changed/);
  await refused(await manifestOf({ format_version: 2 }), /format 2/);
  await refused(await manifestOf({ runtime: { litert: "2.6" } }), /needs LiteRT 2.6/);
  await refused(await manifestOf({ files: { "model.tflite": file } }), /no catalogue.json/);
  await refused(await manifestOf({ inputs: { mask: { dtype: "float32", shape: [-1, 5] } } }), /fixed shape/);
  await refused(await manifestOf({ inputs: { mask: { dtype: "int64", shape: [1, 5] } } }), /int64/);
});
