// The examples of edge bundles, whose inputs and filters the server made: SAVOR_EDGE_BUNDLES lists their folders.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Catalogue } from "../src/edge/catalogue";
import { Features } from "../src/edge/features";
import { checkGolden } from "../src/edge/golden";

const folders = (process.env.SAVOR_EDGE_BUNDLES ?? "").split(":").filter(Boolean);

for (const folder of folders)
  test(`this code answers the examples of ${folder}`, async () => {
    const [json, binary, document, golden] = await Promise.all(
      ["catalogue.json", "catalogue.bin", "features.json", "golden.json"].map((name) => readFile(join(folder, name))),
    );
    const catalogue = Catalogue.read(json.toString(), Uint8Array.from(binary).buffer);
    const features = Features.read(document.toString(), catalogue);
    assert.ok((await checkGolden(golden.toString(), catalogue, features, null)) > 5);
    const broken = JSON.parse(golden.toString());
    broken.queries[3].mask_crc32 ^= 1;
    await assert.rejects(checkGolden(JSON.stringify(broken), catalogue, features, null), /comes out otherwise/);
  });

test("examples were given", { skip: folders.length === 0 && "SAVOR_EDGE_BUNDLES names no folder of an edge bundle" }, () => {
  assert.ok(folders.length > 0);
});
