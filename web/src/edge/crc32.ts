const TABLE = new Uint32Array(256).map((_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The CRC-32 (as in zlib) of some bytes. */
export function crc32OfBytes(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) value = (value >>> 8) ^ TABLE[(value ^ byte) & 0xff];
  return (value ^ 0xffffffff) >>> 0;
}

/** The same of a text in UTF-8; it says which bucket a string that was never seen goes to. */
export function crc32(text: string): number {
  return crc32OfBytes(new TextEncoder().encode(text));
}
