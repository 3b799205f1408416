/** What was computed once, by a key of one or two numbers. */

/** Room for the second number of a key. */
const SECOND_MAX = 2 ** 24;

export function pairKey(first: number, second: number): number {
  return first * SECOND_MAX + second;
}

export class Memo<Value> {
  readonly #known = new Map<number, Value>();

  of(key: number, compute: () => Value): Value {
    const known = this.#known.get(key);
    if (known !== undefined) {
      return known;
    }
    const value = compute();
    this.#known.set(key, value);
    return value;
  }
}
