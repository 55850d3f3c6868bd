/** Orders texts as Python does; JavaScript alone would compare halves of characters beyond U+FFFF. */
export function byCodePoints(one: string, other: string): number {
  const left = [...one];
  const right = [...other];
  for (let place = 0; place < Math.min(left.length, right.length); place++) {
    const difference = left[place].codePointAt(0)! - right[place].codePointAt(0)!;
    if (difference) return difference;
  }
  return left.length - right.length;
}
