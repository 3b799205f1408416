/**
 * Looks a name up in a record that was built from people's input. Plain indexing would also find
 * what every object inherits: a service called `constructor` must be unknown, not a function.
 */
export function ownValue<Value>(
  record: { readonly [name: string]: Value },
  key: string,
): Value | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
