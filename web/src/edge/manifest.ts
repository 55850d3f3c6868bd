import { canonicalJson, type Json } from "./canonical_json";
import { EdgeError } from "./edge_error";
import { sha256 } from "./sha256";

export const FORMAT_VERSION = 1;

export interface TensorShape {
  dtype: "float32" | "int32";
  shape: number[];
}

export interface EdgeFile {
  size: number;
  sha256: string;
}

/** `edge.json`: what an edge bundle is, and which files it has. */
export interface EdgeManifest {
  format_version: number;
  id: string;
  name: string;
  bundle: string;
  created: number;
  variant: string;
  runtime: { litert: string; operators?: string[] };
  number_of_items: number;
  k: number;
  inputs: Record<string, TensorShape>;
  outputs: Record<string, TensorShape>;
  /** `ranker.tflite`, where there is one; `features` are the columns of its input of that name. */
  ranker?: { candidates: number; features: string[]; inputs: Record<string, TensorShape>; outputs: Record<string, TensorShape> } | null;
  shard: Json;
  files: Record<string, EdgeFile>;
}

/** Fields that do not count for the id. */
const OUTSIDE = ["id", "created", "parity"];
const NEEDED = ["model.tflite", "catalogue.json", "features.json", "golden.json"];

/**
 * Read `edge.json`, and check everything that can be checked without the other files.
 *
 * @param text what the server or the store gave.
 * @param runtime version of the runtime that is to run the model.
 * @throws EdgeError it is no manifest, is damaged, or asks for what this app cannot do.
 */
export async function readManifest(text: string, runtime: string): Promise<EdgeManifest> {
  let document: { [name: string]: Json };
  try {
    document = JSON.parse(text);
  } catch {
    throw new EdgeError("the manifest is not JSON");
  }
  if (document === null || typeof document !== "object" || Array.isArray(document))
    throw new EdgeError("the manifest is not an object");
  if (document.format_version !== FORMAT_VERSION)
    throw new EdgeError(`the bundle has format ${String(document.format_version)}, and this app reads ${FORMAT_VERSION}`);
  const counted = Object.fromEntries(Object.entries(document).filter(([name]) => !OUTSIDE.includes(name)));
  const id = (await sha256(new TextEncoder().encode(canonicalJson(counted)))).slice(0, 16);
  if (id !== document.id) throw new EdgeError(`the manifest was changed: it says ${String(document.id)} and is ${id}`);
  const manifest = document as unknown as EdgeManifest;
  for (const name of NEEDED) if (!manifest.files?.[name]) throw new EdgeError(`the bundle has no ${name}`);
  if (isOlder(runtime, manifest.runtime.litert))
    throw new EdgeError(`the bundle needs LiteRT ${manifest.runtime.litert}, and this app has ${runtime}`);
  for (const [name, { dtype, shape }] of Object.entries({ ...manifest.inputs, ...manifest.outputs }))
    if (!["float32", "int32"].includes(dtype) || shape.some((size) => size < 0))
      throw new EdgeError(`${name} is ${dtype} [${shape.join(", ")}], and LiteRT.js takes float32 and int32 of a fixed shape`);
  return manifest;
}

/** How many bytes the files of a bundle have together. */
export function sizeOf(manifest: EdgeManifest): number {
  return Object.values(manifest.files).reduce((total, { size }) => total + size, 0);
}

function isOlder(version: string, least: string): boolean {
  const has = version.split(".").map(Number);
  const needs = least.split(".").map(Number);
  for (let place = 0; place < needs.length; place++) {
    const difference = (has[place] ?? 0) - needs[place];
    if (difference) return difference < 0;
  }
  return false;
}
