import type { Catalogue, Category, Tags } from "./catalogue";
import { EdgeError } from "./edge_error";

type Operations = Readonly<Record<string, unknown>>;
/** `{"category": {"in": ["dairy"]}, "price": {"lte": 5}}`, as the server takes it: all conditions must hold. */
export type StructuredFilter = Readonly<Record<string, Operations>>;
type Condition = (row: number) => boolean;

/**
 * A filter as a function of the row; an unknown value matches nothing but `not_in` and `exists: false`.
 *
 * @throws EdgeError it names an unknown field or operator.
 */
export function itemFilter(filter: StructuredFilter, catalogue: Catalogue): Condition {
  const conditions = Object.entries(filter).flatMap(([field, operations]) =>
    Object.entries(operations).map(([operator, value]) => condition(field, operator, value, catalogue)),
  );
  return (row) => conditions.every((holds) => holds(row));
}

function condition(field: string, operator: string, value: unknown, catalogue: Catalogue): Condition {
  const category = catalogue.categories.get(field);
  if (category) return ofCategory(category, operator, value);
  const tags = catalogue.tags.get(field);
  if (tags) return ofTags(tags, operator, value);
  const numbers = field === "price" ? catalogue.price : catalogue.numerics.get(field);
  if (numbers) return ofNumber((row) => numbers[row], operator, value);
  if (field === "in_stock") return (row) => Boolean(catalogue.inStock[row]) === value;
  if (field === "owner" && catalogue.owner) return ofCategory(catalogue.owner, operator, value);
  if (field === "category" && catalogue.categories.size) {
    const levels = [...catalogue.categories.values()].map((level) => ofCategory(level, operator, value));
    const every = operator === "not_in" || (operator === "exists" && !value);
    return (row) => (every ? levels.every((holds) => holds(row)) : levels.some((holds) => holds(row)));
  }
  throw new EdgeError(`the catalogue has no field ${field}`);
}

function ofCategory({ codes, values }: Category, operator: string, value: unknown): Condition {
  const accepted = acceptedCodes(values, operator, value);
  return (row) => accepted[codes[row]] === 1;
}

function ofTags({ start, codes, values }: Tags, operator: string, value: unknown): Condition {
  const absent = operator === "not_in" || (operator === "exists" && value === false);
  const accepted = acceptedCodes(values, operator === "not_in" ? "in" : operator, operator === "exists" ? true : value);
  return (row) => {
    for (let place = start[row]; place < start[row + 1]; place++) if (accepted[codes[place]]) return !absent;
    return absent;
  };
}

function acceptedCodes(values: readonly string[], operator: string, value: unknown): Uint8Array {
  if (operator === "exists") return Uint8Array.from(values, (_, code) => Number((code > 0) === value));
  const wanted = new Set((operator === "eq" ? [value] : asList(operator, value)).map(String));
  const opposite = operator === "not_in";
  return Uint8Array.from(values, (name, code) => Number((code > 0 && wanted.has(name)) !== opposite));
}

function ofNumber(number: (row: number) => number, operator: string, value: unknown): Condition {
  const limit = Math.fround(Number(value));
  switch (operator) {
    case "lt":
      return (row) => number(row) < limit;
    case "lte":
      return (row) => number(row) <= limit;
    case "gt":
      return (row) => number(row) > limit;
    case "gte":
      return (row) => number(row) >= limit;
    case "eq":
      return (row) => number(row) === limit;
    case "exists":
      return (row) => Number.isFinite(number(row)) === value;
    default: {
      const several = new Set(asList(operator, value).map((one) => Math.fround(Number(one))));
      return (row) => several.has(number(row)) === (operator === "in");
    }
  }
}

function asList(operator: string, value: unknown): unknown[] {
  if (operator !== "in" && operator !== "not_in") throw new EdgeError(`a filter has no operator ${operator} here`);
  if (!Array.isArray(value)) throw new EdgeError(`the operator ${operator} takes a list`);
  return value;
}
