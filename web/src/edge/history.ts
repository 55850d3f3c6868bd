/** One event about an item that the catalogue knows. */
export interface Deed {
  /** Number of the item; numbers from the catalogue's length on are of items that count in histories only. */
  item: number;
  /** UTC seconds. */
  time: number;
  /** Number of the basket or session that the event names, -1 for none. */
  basket: number;
  /** Whether the item counts as one that the person takes again. */
  own?: boolean;
  /** Number of the kind of event among those that the model was trained on, -1 for another. */
  kind: number;
  /** Quantity. */
  value: number;
  /** What was paid, NaN where that is not known. */
  price: number;
}

/** Events, oldest first; those of one second in the order they were recorded. */
export type History = readonly Deed[];

/** Put in order what is given as recorded. */
export function historyOf(deeds: Iterable<Deed>): History {
  return [...deeds].sort((one, other) => one.time - other.time);
}

/**
 * How many of the last events belong to the session that goes on at `now`, at most `length`.
 *
 * It reaches back over events of one basket, and over pauses of at most `gap` seconds, also the one before `now`.
 */
export function sessionLength(history: History, now: number, gap: number, length: number): number {
  let known = 0;
  let later: Deed | null = null;
  for (let place = history.length - 1; place >= 0 && known < length; place--) {
    const deed = history[place];
    const near = (later ? later.time : now) - deed.time <= gap;
    const together = later !== null && later.basket === deed.basket && deed.basket >= 0;
    if (!near && !together) break;
    later = deed;
    known++;
  }
  return known;
}
