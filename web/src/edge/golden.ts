import type { Catalogue } from "./catalogue";
import { crc32OfBytes } from "./crc32";
import { EdgeError } from "./edge_error";
import type { Features, Inputs, Profile } from "./features";
import type { Ranker } from "./ranker";
import { allowedRows, type DeviceEvent, finished, modelHistory, type Query, type Ranked } from "./ranking";
import type { Asked, FoundRow } from "./source_columns";

const FORMAT_VERSION = 1;

interface Example {
  name: string;
  request: Query & { user_id: string };
  /** UTC seconds. */
  now: number;
  profile: Profile;
  events: DeviceEvent[];
  inputs: Record<string, number[] | number>;
  allowed: number;
  mask_crc32: number;
  /** By id of items that may be shown, what having had them adds to their score. */
  bonus?: Record<string, number>;
  items: string[];
  scores: (number | null)[];
  /** What the ranker makes of it, where there is one. */
  ranked?: Expected & {
    /** Everything that the model found. */
    found: { items: string[]; scores: number[] };
    /** Of some of these, the features. */
    features: Record<string, (number | null)[]>;
  };
}

type Expected = Pick<Example, "items" | "scores">;

interface Document {
  format_version: number;
  tolerance: { inputs: number; scores: number; features?: number; ranked?: number };
  queries: Example[];
}

/** Runs the networks. */
export interface Networks {
  /** The best rows. */
  find(inputs: Inputs, asked: Asked): Promise<FoundRow[]>;
  /** The same in the order of the ranker, where there is one. */
  rank(inputs: Inputs, asked: Asked, found: FoundRow[]): Promise<FoundRow[]>;
}

/**
 * Answer a bundle's own examples (`golden.json`), and compare with what the answers were where it was made.
 *
 * @param ranker makes features; null where there is none.
 * @param run runs the networks; null checks inputs, filters and features only.
 * @returns how many examples there are.
 * @throws EdgeError one of them differs; says where.
 */
export async function checkGolden(
  json: string,
  catalogue: Catalogue,
  features: Features,
  ranker: Ranker | null,
  run: Networks | null,
): Promise<number> {
  const { format_version, tolerance, queries } = JSON.parse(json) as Document;
  if (format_version !== FORMAT_VERSION)
    throw new EdgeError(`the examples have format ${format_version}, and this app reads ${FORMAT_VERSION}`);
  for (const example of queries) {
    const { request, now, profile, events } = example;
    const history = modelHistory(events, features, catalogue);
    const inputs = features.inputs({ userId: request.user_id, profile, history, now });
    for (const [name, expected] of Object.entries(example.inputs)) {
      const wanted = [expected].flat();
      const made = inputs[name];
      if (!made || made.length !== wanted.length) throw differs(example, `the input ${name} has not ${wanted.length} numbers`);
      const limit = made instanceof Int32Array ? 0 : tolerance.inputs;
      const place = wanted.findIndex((number, at) => !(Math.abs(made[at] - number) <= limit));
      if (place >= 0) throw differs(example, `${name}[${place}] is ${made[place]}, not ${wanted[place]}`);
    }
    const allowed = allowedRows(request, events, features, catalogue);
    const count = allowed.reduce((sum, one) => sum + one, 0);
    if (count !== example.allowed || crc32OfBytes(allowed) !== example.mask_crc32)
      throw differs(example, `the filter lets ${count} items pass, not ${example.allowed}, or others`);
    const bonus = features.bonus(history, now);
    const own = example.bonus ?? {};
    const unlike = catalogue.ids.find((id, row) => {
      const expected = allowed[row] ? (own[id] ?? 0) : 0;
      return Math.abs((allowed[row] && bonus ? bonus[row] : 0) - expected) > tolerance.inputs;
    });
    if (unlike !== undefined) throw differs(example, `the bonus of the own item ${unlike} is not ${own[unlike] ?? 0}`);
    const { num_recommendations: number, exclude_seen: excludeSeen = false, diversity = true } = request;
    const asked = { history, now, allowed, bonus, number, excludeSeen };
    if (ranker && example.ranked) compareFeatures(example, ranker, asked, catalogue, tolerance.features ?? 0);
    if (!run) continue;
    const found = await run.find(inputs, asked);
    compare(example.name, example, finished(found, allowed, catalogue, number, diversity), catalogue, tolerance.scores);
    if (!ranker || !example.ranked) continue;
    const list = finished(await run.rank(inputs, asked, found), allowed, catalogue, number, diversity);
    compare(`${example.name}, ranked`, example.ranked, list, catalogue, tolerance.ranked ?? 0);
  }
  return queries.length;
}

/** Places whose scores lie nearer to each other than the tolerance may be exchanged. */
function compare(name: string, expected: Expected, list: readonly Ranked[], catalogue: Catalogue, tolerance: number): void {
  const { items, scores } = expected;
  const example = { name };
  if (list.length !== items.length) throw differs(example, `the list has ${list.length} items, not ${items.length}`);
  list.forEach(({ row, score }, place) => {
    const wanted = scores[place];
    const near = score === null || wanted === null ? score === wanted : Math.abs(score - wanted) <= tolerance;
    if (!near) throw differs(example, `the score at place ${place} is ${score}, not ${wanted}`);
    const item = catalogue.ids[row];
    if (item === items[place]) return;
    const elsewhere = items.indexOf(item);
    const given = elsewhere < 0 ? scores[scores.length - 1] : scores[elsewhere];
    if (score === null || given === null || Math.abs(score - given) > tolerance)
      throw differs(example, `place ${place} holds ${item}, not ${items[place]}`);
  });
}

/** The ranker's features of some of what the model found where the bundle was made. */
function compareFeatures(example: Example, ranker: Ranker, asked: Asked, catalogue: Catalogue, tolerance: number): void {
  const { found, features } = example.ranked!;
  const rows = found.items.map((id, place) => ({ row: catalogue.numbers.get(id)!, score: Math.fround(found.scores[place]) }));
  const made = ranker.matrix(asked, rows);
  const width = made.length / rows.length;
  for (const [id, wanted] of Object.entries(features)) {
    const first = found.items.indexOf(id) * width;
    const place = wanted.findIndex((number, at) => {
      const own = made[first + at];
      return number === null ? !Number.isNaN(own) : !(Math.abs(own - number) <= tolerance * Math.max(Math.abs(number), 1));
    });
    if (place >= 0 || wanted.length !== width)
      throw differs(example, `feature ${place} of ${id} is ${made[first + place]}, not ${wanted[place]}`);
  }
}

function differs({ name }: Pick<Example, "name">, what: string): EdgeError {
  return new EdgeError(`the example "${name}" comes out otherwise here: ${what}`);
}
