/**
 * Freezes a value and all that it holds, so that a store and its callers can share it: whoever
 * writes through a reference that the store kept gets an exception, as he would find his change
 * missing in a real store.
 *
 * What was frozen once is remembered, so that a log of a thousand entries that grows by one costs
 * one entry. Typed arrays cannot be frozen (the language forbids it) and are left as they are.
 */
const frozen = new WeakSet<object>();

export function deepFreeze<Value>(value: Value): Value {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) {
    return value;
  }
  if (!frozen.has(value)) {
    frozen.add(value);
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
