/** Texts that a till wrote in capitals, as people write them; all others as they are. */
export function readable(text: string): string {
  if (text.length < 4 || text !== text.toUpperCase()) return text;
  const small = text.toLowerCase();
  return small[0].toUpperCase() + small.slice(1);
}
