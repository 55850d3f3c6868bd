import { hexadecimal } from "../edge/sha256";

/** 32 random hexadecimal digits. */
export function randomName(): string {
  return hexadecimal(crypto.getRandomValues(new Uint8Array(16)));
}
