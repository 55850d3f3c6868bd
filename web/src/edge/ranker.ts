import { Arrays, type Place } from "./arrays";
import type { Catalogue } from "./catalogue";
import { CrossFeatures } from "./cross_features";
import type { Inputs } from "./features";
import { ItemTables, type StatisticsDocument } from "./item_tables";
import type { EdgeManifest } from "./manifest";
import { type Asked, type FoundRow, SourceColumns, type SourcesDocument } from "./source_columns";

const FORMAT_VERSION = 1;

interface Document {
  format_version: number;
  weights: Record<string, Record<string, number>>;
  usual_weights: Record<string, number>;
  statistics?: StatisticsDocument;
  sources?: SourcesDocument;
  arrays?: Record<string, Place>;
}

/** Runs a network of the ranker: for each head what it says of k items. */
export type RunRanker = (inputs: Inputs, excludeSeen: boolean) => Promise<Record<string, Float32Array>>;

/** Brings what the model found into the order of the server's ranker. */
export class Ranker {
  private constructor(
    private readonly document: Document,
    private readonly candidates: number,
    private readonly features: CrossFeatures | null,
    private readonly sources: SourceColumns | null,
  ) {}

  /**
   * Read what goes with the networks; null where this app cannot make what they take: the order is then the model's.
   *
   * @param json `ranker.json`.
   * @param binary `ranker.bin`.
   * @param manifest what it says of the ranker.
   * @param catalogue of the same bundle.
   * @throws EdgeError they are damaged.
   */
  static read(json: string, binary: ArrayBuffer, manifest: NonNullable<EdgeManifest["ranker"]>, catalogue: Catalogue): Ranker | null {
    const document = JSON.parse(json) as Document;
    if (document.format_version !== FORMAT_VERSION) return null;
    const { statistics, sources, arrays } = document;
    if (!manifest.features.length) return new Ranker(document, manifest.candidates, null, null);
    if (!statistics || !sources || !arrays) return null;
    const tables = new ItemTables(statistics, new Arrays("the ranker", arrays, binary), catalogue);
    const columns = new SourceColumns(sources, tables);
    const features = new CrossFeatures(tables, columns.names);
    if (features.names.join() !== manifest.features.join()) return null;
    return new Ranker(document, manifest.candidates, features, columns);
  }

  /** One row of features after the other, of what was found. */
  matrix(asked: Asked, found: readonly FoundRow[]): Float32Array {
    if (!this.features || !this.sources) return new Float32Array(0);
    const rows = found.map(({ row }) => row);
    return this.features.compute(asked.history, rows, this.sources.compute(asked, found), asked.now);
  }

  /**
   * What was found, in the order of the ranker with its scores; of equal scores the lower row comes first.
   *
   * @param inputs the person's, of which a network takes what it has.
   * @param found best first, at most as many as the ranker takes at a time.
   * @param run runs a network.
   * @param scenario whose weights count.
   */
  async rank(asked: Asked, inputs: Inputs, found: readonly FoundRow[], run: RunRanker, scenario = "home"): Promise<FoundRow[]> {
    const items = new Int32Array(this.candidates);
    items.set(found.map(({ row }) => row));
    const given: Inputs = { ...inputs, items };
    if (this.features) {
      given.features = new Float32Array(this.candidates * this.features.names.length).fill(Number.NaN);
      given.features.set(this.matrix(asked, found));
    }
    const heads = await run(given, asked.excludeSeen);
    const said = this.document.weights[scenario];
    const weights = Object.entries(said && Object.keys(said).length ? said : this.document.usual_weights);
    const scores = new Float32Array(found.length);
    for (const [head, weight] of weights)
      for (let place = 0; place < scores.length; place++) scores[place] += Math.fround(Math.fround(weight) * heads[head][place]);
    return found
      .map(({ row }, place) => ({ row, score: scores[place] }))
      .sort((one, other) => other.score - one.score || one.row - other.row);
  }
}
