import { Catalogue } from "../edge/catalogue";
import { EdgeError } from "../edge/edge_error";
import { Features, type Inputs } from "../edge/features";
import { checkGolden } from "../edge/golden";
import { type EdgeManifest, readManifest } from "../edge/manifest";
import { Ranker } from "../edge/ranker";
import type { Asked, FoundRow } from "../edge/source_columns";
import { EdgeModel, RankerModel, VERSION } from "./litert";

const RANKER = "ranker.json";

/** An edge bundle that is ready to answer. */
export class Bundle {
  private constructor(
    readonly manifest: EdgeManifest,
    /** `edge.json` as it came. */
    readonly text: string,
    readonly catalogue: Catalogue,
    readonly features: Features,
    readonly model: EdgeModel,
    private readonly ranker: { data: Ranker; model: RankerModel } | null,
  ) {}

  /** What the model finds, best first: in the order of the ranker where there is one. */
  async search(inputs: Inputs, asked: Asked): Promise<FoundRow[]> {
    const found = await this.model.recommend(inputs, asked.allowed, asked.bonus);
    return this.rank(inputs, asked, found);
  }

  /** Give the memory back once what is under way has answered. */
  close(): void {
    this.model.close();
    this.ranker?.model.close();
  }

  private async rank(inputs: Inputs, asked: Asked, found: FoundRow[]): Promise<FoundRow[]> {
    if (!this.ranker || !found.length) return found;
    const { data, model } = this.ranker;
    return data.rank(asked, inputs, found, (given, excludeSeen) => model.run(given, excludeSeen));
  }

  /**
   * Read a bundle and start its model.
   *
   * @param text `edge.json`.
   * @param file gives the content of a file by its SHA-256.
   * @param examples whether it must answer its own examples first, as it must before it is installed.
   * @throws EdgeError something of it is damaged, or answers otherwise than where it was made.
   */
  static async open(
    text: string,
    file: (sha256: string) => Promise<ArrayBuffer | undefined>,
    examples = false,
  ): Promise<Bundle> {
    const manifest = await readManifest(text, VERSION);
    const content = async (name: string) => {
      const found = manifest.files[name] && (await file(manifest.files[name].sha256));
      if (!found) throw new EdgeError(`${name} of the bundle is not there`);
      return found;
    };
    const optional = async (name: string) => (manifest.files[name] ? content(name) : null);
    const json = async (name: string) => new TextDecoder().decode(await content(name));
    const catalogue = Catalogue.read(await json("catalogue.json"), (await optional("catalogue.bin")) ?? new ArrayBuffer(0));
    if (catalogue.length !== manifest.number_of_items)
      throw new EdgeError(`the catalogue has ${catalogue.length} items, and the model ${manifest.number_of_items}`);
    const features = Features.read(await json("features.json"), catalogue);
    const ranker = manifest.ranker && manifest.files[RANKER]
      ? Ranker.read(await json(RANKER), await optional("ranker.bin") ?? new ArrayBuffer(0), manifest.ranker, catalogue)
      : null;
    const model = await EdgeModel.open(await content("model.tflite"), manifest);
    let bundle: Bundle;
    try {
      const networks = ranker && {
        data: ranker,
        model: await RankerModel.open(await content("ranker.tflite"), await optional("ranker_new.tflite"), manifest.ranker!.inputs),
      };
      bundle = new Bundle(manifest, text, catalogue, features, model, networks);
    } catch (error) {
      model.close();
      throw error;
    }
    try {
      const now = Math.floor(Date.now() / 1000);
      const nobody = features.inputs({ profile: {}, history: [], now });
      const allowed = new Uint8Array(catalogue.length).fill(1);
      // The first call is slow, and shows what is absent.
      await bundle.search(nobody, { history: [], now, allowed, bonus: null, number: 1, excludeSeen: false });
      if (examples) await checkGolden(await json("golden.json"), catalogue, features, ranker, {
        find: (inputs, asked) => model.recommend(inputs, asked.allowed, asked.bonus),
        rank: (inputs, asked, found) => bundle.rank(inputs, asked, found),
      });
    } catch (error) {
      bundle.close();
      throw error;
    }
    return bundle;
  }
}
