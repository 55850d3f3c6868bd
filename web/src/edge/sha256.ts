/** The SHA-256 of some bytes as 64 hexadecimal digits. Pages without encryption have no `crypto.subtle`: then by hand. */
export async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const subtle = globalThis.crypto?.subtle;
  return hexadecimal(subtle ? new Uint8Array(await subtle.digest("SHA-256", bytes)) : sha256ByHand(bytes));
}

/** FIPS 180-4, for where the browser offers none. */
export function sha256ByHand(bytes: Uint8Array): Uint8Array {
  const length = bytes.length;
  const padded = new Uint8Array((((length + 8) >> 6) + 1) << 6);
  padded.set(bytes);
  padded[length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(length / 0x20000000));
  view.setUint32(padded.length - 4, (length << 3) >>> 0);
  const state = Uint32Array.from(fractions(8, 1 / 2));
  const constants = Uint32Array.from(fractions(64, 1 / 3));
  const words = new Uint32Array(64);
  for (let start = 0; start < padded.length; start += 64) {
    for (let place = 0; place < 16; place++) words[place] = view.getUint32(start + 4 * place);
    for (let place = 16; place < 64; place++) {
      const early = words[place - 15];
      const late = words[place - 2];
      const small = turned(early, 7) ^ turned(early, 18) ^ (early >>> 3);
      const large = turned(late, 17) ^ turned(late, 19) ^ (late >>> 10);
      words[place] = (words[place - 16] + small + words[place - 7] + large) | 0;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let place = 0; place < 64; place++) {
      const choice = (e & f) ^ (~e & g);
      const first = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + choice + constants[place] + words[place]) | 0;
      const second = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    for (const [place, value] of [a, b, c, d, e, f, g, h].entries()) state[place] += value;
  }
  const digest = new Uint8Array(32);
  state.forEach((value, place) => new DataView(digest.buffer).setUint32(4 * place, value));
  return digest;
}

export function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function turned(word: number, by: number): number {
  return (word >>> by) | (word << (32 - by));
}

/** The first 32 bits of the fractional parts of the roots of the first primes. */
function fractions(count: number, power: number): number[] {
  const found: number[] = [];
  for (let number = 2; found.length < count; number++) {
    if (!Array.from({ length: number - 2 }, (_, place) => place + 2).some((divisor) => number % divisor === 0)) {
      const root = number ** power;
      found.push(((root - Math.floor(root)) * 0x100000000) | 0);
    }
  }
  return found;
}
