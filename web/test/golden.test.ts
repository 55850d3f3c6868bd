// The examples of edge bundles, whose inputs and filters the server made: SAVOR_EDGE_BUNDLES lists their folders.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Catalogue } from "../src/edge/catalogue";
import { Features } from "../src/edge/features";
import { checkGolden } from "../src/edge/golden";
import type { EdgeManifest } from "../src/edge/manifest";
import { Ranker } from "../src/edge/ranker";

const folders = (process.env.SAVOR_EDGE_BUNDLES ?? "").split(":").filter(Boolean);

for (const folder of folders)
  test(`this code answers the examples of ${folder}`, async () => {
    const [json, binary, document, golden] = await Promise.all(
      ["catalogue.json", "catalogue.bin", "features.json", "golden.json"].map((name) => readFile(join(folder, name))),
    );
    const catalogue = Catalogue.read(json.toString(), Uint8Array.from(binary).buffer);
    const features = Features.read(document.toString(), catalogue);
    const ranker = await rankerOf(folder, catalogue);
    assert.ok((await checkGolden(golden.toString(), catalogue, features, ranker, null)) > 5);
    const broken = JSON.parse(golden.toString());
    broken.queries[3].mask_crc32 ^= 1;
    await assert.rejects(checkGolden(JSON.stringify(broken), catalogue, features, ranker, null), /comes out otherwise/);
    if (!ranker) return;
    const other = JSON.parse(golden.toString());
    const [wanted] = Object.values(other.queries[4].ranked.features as Record<string, number[]>);
    wanted[0] += 1;
    await assert.rejects(checkGolden(JSON.stringify(other), catalogue, features, ranker, null), /feature 0 of/);
  });

async function rankerOf(folder: string, catalogue: Catalogue): Promise<Ranker | null> {
  const text = await readFile(join(folder, "edge.json")).catch(() => null);
  const manifest = JSON.parse(text?.toString() ?? "{}") as EdgeManifest;
  if (!manifest.ranker || !manifest.files["ranker.json"]) return null;
  const [json, binary] = await Promise.all(["ranker.json", "ranker.bin"].map((name) => readFile(join(folder, name))));
  const ranker = Ranker.read(json.toString(), Uint8Array.from(binary).buffer, manifest.ranker, catalogue);
  assert.ok(ranker, "this code makes the features of the ranker");
  return ranker;
}

test("examples were given", { skip: folders.length === 0 && "SAVOR_EDGE_BUNDLES names no folder of an edge bundle" }, () => {
  assert.ok(folders.length > 0);
});
