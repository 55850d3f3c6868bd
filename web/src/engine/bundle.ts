import { Catalogue } from "../edge/catalogue";
import { EdgeError } from "../edge/edge_error";
import { Features } from "../edge/features";
import { checkGolden, type Run } from "../edge/golden";
import { type EdgeManifest, readManifest } from "../edge/manifest";
import { EdgeModel, VERSION } from "./litert";

/** An edge bundle that is ready to answer. */
export class Bundle {
  private constructor(
    readonly manifest: EdgeManifest,
    /** `edge.json` as it came. */
    readonly text: string,
    readonly catalogue: Catalogue,
    readonly features: Features,
    readonly model: EdgeModel,
  ) {}

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
    const json = async (name: string) => new TextDecoder().decode(await content(name));
    const binary = manifest.files["catalogue.bin"] ? await content("catalogue.bin") : new ArrayBuffer(0);
    const catalogue = Catalogue.read(await json("catalogue.json"), binary);
    if (catalogue.length !== manifest.number_of_items)
      throw new EdgeError(`the catalogue has ${catalogue.length} items, and the model ${manifest.number_of_items}`);
    const features = Features.read(await json("features.json"), catalogue);
    const model = await EdgeModel.open(await content("model.tflite"), manifest);
    try {
      const run: Run = (inputs, allowed, bonus) => model.recommend(inputs, allowed, bonus);
      const nobody = features.inputs({ profile: {}, history: [], now: Math.floor(Date.now() / 1000) });
      await run(nobody, new Uint8Array(catalogue.length).fill(1), null); // The first call is slow, and shows what is absent.
      if (examples) await checkGolden(await json("golden.json"), catalogue, features, run);
    } catch (error) {
      model.close();
      throw error;
    }
    return new Bundle(manifest, text, catalogue, features, model);
  }
}
