import type { Bundle } from "./bundle";
import type { Reason } from "./protocol";
import { readable } from "./readable";
import { type DeviceEvent, modelHistory } from "../edge/ranking";
import type { Profile } from "../edge/features";

/** How many of the last items of a history may be a reason. */
const LOOKED_AT = 8;
const DAY = 24 * 3600 * 1000;

/**
 * Why items stand where they do.
 *
 * What the person had before is said so. For all others the model is asked again without each of the last items of the
 * history: the one without which the score falls most is the reason. Without any history the profile may be one.
 *
 * @param rows items that are shown.
 * @param now UTC seconds.
 */
export async function reasonsFor(
  rows: readonly number[],
  bundle: Bundle,
  events: readonly DeviceEvent[],
  profile: Profile,
  now: number,
): Promise<Reason[]> {
  const { catalogue, features, model } = bundle;
  const allowed = new Uint8Array(catalogue.length);
  for (const row of rows) allowed[row] = 1;
  const scores = async (known: readonly DeviceEvent[], said: Profile) => {
    const inputs = features.inputs({ profile: said, history: modelHistory(known, features, catalogue), now });
    return new Map((await model.recommend(inputs, allowed)).map(({ row, score }) => [row, score]));
  };
  const all = await scores(events, profile);
  const known = events.filter(({ item_id, kind }) => item_id && catalogue.numbers.has(item_id) && features.counts(kind));
  const items = [...new Set(known.map(({ item_id }) => item_id!).reverse())].slice(0, LOOKED_AT);
  const falls = await Promise.all(
    items.map(async (item) => {
      const without = await scores(
        events.filter(({ item_id }) => item_id !== item),
        profile,
      );
      return { item, without };
    }),
  );
  const plain = Object.keys(profile).length ? await scores(events, {}) : null;
  return rows.map((row) => {
    const own = events.filter(({ item_id, kind }) => item_id === catalogue.ids[row] && features.kinds.includes(kind));
    if (own.length) return { row, text: beforeText(own, features.wording.past) };
    let best = { item: "", fall: 0 };
    for (const { item, without } of falls) {
      const fall = (all.get(row) ?? 0) - (without.get(row) ?? 0);
      if (fall > best.fall) best = { item, fall };
    }
    const said = plain ? (all.get(row) ?? 0) - (plain.get(row) ?? 0) : 0;
    if (said > best.fall) return { row, text: "fits what you said of yourself" };
    const number = best.item ? catalogue.numbers.get(best.item)! : -1;
    const did = known.findLast(({ item_id }) => item_id === best.item)?.kind === "save" ? "like" : features.wording.past;
    if (number >= 0 && number < catalogue.length) return { row, text: `because you ${did} ${readable(catalogue.name(number))}` };
    return { row, text: items.length ? "like what you choose" : "a place to begin" };
  });
}

function beforeText(own: readonly DeviceEvent[], past: string): string {
  const days = Math.floor((Date.now() - Math.max(...own.map(({ time }) => time))) / DAY);
  const when = days < 1 ? "today" : days === 1 ? "yesterday" : `${days} days ago`;
  const times = own.length === 1 ? "once" : own.length === 2 ? "twice" : `${own.length} times`;
  return `you ${past} this ${times}, last ${when}`;
}
