/** Something is wrong with an edge bundle: says what was expected and what came. */
export class EdgeError extends Error {
  override readonly name = "EdgeError";
}
