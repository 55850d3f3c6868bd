// Builds the page, its worker and its service worker into src/savor/api/device/, which `savor serve` serves at /device.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

const here = new URL("./", import.meta.url);
const out = new URL("../src/savor/api/device/", here);
const runtime = new URL("node_modules/@litertjs/core/", here);
const { version } = JSON.parse(await readFile(new URL("package.json", runtime), "utf8"));
const VARIANTS = { relaxed: "litert_wasm_internal", plain: "litert_wasm_compat_internal" };

await rm(out, { recursive: true, force: true });
await mkdir(new URL("assets/", out), { recursive: true });

/** Write a file under a name that changes with its content, packed, as it is sent. */
async function asset(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, 10);
  const [, stem, ending] = /^(.*)(\.[a-z]+)$/.exec(name);
  const written = `assets/${stem}-${hash}${ending}`;
  await writeFile(new URL(`${written}.gz`, out), gzipSync(content, { level: 9 }));
  return written;
}

async function bundled(entry, define = {}) {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL(entry, here))],
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
    target: "es2022",
    legalComments: "none",
    define: Object.fromEntries(Object.entries(define).map(([name, value]) => [name, JSON.stringify(value)])),
  });
  return outputFiles[0].contents;
}

const litert = {};
const shell = { files: [], relaxed: [], plain: [] };
for (const [variant, stem] of Object.entries(VARIANTS)) {
  for (const ending of ["js", "wasm"]) {
    const written = await asset(`${stem}.${ending}`, await readFile(new URL(`wasm/${stem}.${ending}`, runtime)));
    litert[`${stem}.${ending}`] = written.replace("assets/", "");
    shell[variant].push(written);
  }
}

const worker = await asset(
  "worker.js",
  await bundled("src/engine/worker.ts", { LITERT_FILES: litert, LITERT_VERSION: version }),
);
const app = await asset("app.js", await bundled("src/page/main.ts", { WORKER: worker }));
const style = await asset("style.css", await bundled("src/page/style.css"));
const page = (await readFile(new URL("src/page/index.html", here), "utf8")).replace("{{app}}", app).replace("{{style}}", style);
await writeFile(new URL("index.html", out), page);
await writeFile(new URL("manifest.webmanifest", out), await readFile(new URL("public/manifest.webmanifest", here)));
for (const name of await readdir(new URL("public/icons/", here))) {
  await writeFile(new URL(`assets/${name}`, out), await readFile(new URL(`public/icons/${name}`, here)));
  shell.files.push(`assets/${name}`);
}
const notice = `The files litert_wasm_* and parts of worker-* are LiteRT.js ${version}, Copyright Google LLC,
under the Apache License 2.0: https://github.com/google-ai-edge/LiteRT
`;
await writeFile(new URL("NOTICE.txt", out), notice);
shell.files.push(worker, app, style, "manifest.webmanifest");
const name = createHash("sha256").update(JSON.stringify(shell) + page).digest("hex").slice(0, 10);
await writeFile(new URL("sw.js", out), await bundled("src/service_worker.ts", { SHELL: { name, ...shell } }));
