/**
 * Divides whole per cents in proportion to weights, so that the sum is exact: each gets the floor of
 * its part, and what is left over goes to the largest remainders, of equals to the first. Pure.
 *
 * Source: the method of Hamilton (largest remainders).
 */

export type Weighted = readonly [name: string, weight: number];

/** @returns parts that sum to `total`; equal ones where every weight is zero; none of nobody. */
export function apportion(total: number, weights: readonly Weighted[]): readonly Weighted[] {
  const sum = weights.reduce((all, [, weight]) => all + weight, 0);
  const exact = weights.map(([name, weight]) => ({
    name,
    exact: (total * (sum === 0 ? 1 : weight)) / (sum === 0 ? weights.length : sum),
  }));
  const floored = exact.reduce((all, part) => all + Math.floor(part.exact), 0);
  const byRemainder = exact
    .toSorted((a, b) => remainderOf(b.exact) - remainderOf(a.exact))
    .slice(0, total - floored);
  return exact.map((part) => [
    part.name,
    Math.floor(part.exact) + (byRemainder.includes(part) ? 1 : 0),
  ]);
}

function remainderOf(exact: number): number {
  return exact - Math.floor(exact);
}
