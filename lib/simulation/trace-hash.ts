/**
 * A running hash of all that happens in a simulated life: equal seeds must give equal traces, event
 * for event, and comparing two hashes is all that it takes to know.
 *
 * Two lanes of 32 bits, mixed as MurmurHash3 mixes its blocks: not against an adversary, but no two
 * traces that differ anywhere agree by chance. The bits of each number count, so that a difference
 * of one unit in the last place of one instant is a difference.
 */
const NUMBER = new Float64Array(1);
const WORDS = new Uint32Array(NUMBER.buffer);

export class TraceHash {
  #left = 0x9e3779b9;
  #right = 0x85ebca6b;

  number(value: number): void {
    NUMBER[0] = value;
    this.#mix(WORDS[0] ?? 0);
    this.#mix(WORDS[1] ?? 0);
  }

  text(value: string): void {
    for (let place = 0; place < value.length; place += 1) {
      this.#left = Math.imul(this.#left ^ value.charCodeAt(place), 0x01000193);
    }
    this.#mix(value.length);
  }

  /** Sixteen hexadecimal digits. */
  get digest(): string {
    return hex(this.#left) + hex(this.#right);
  }

  #mix(word: number): void {
    const block = Math.imul(word, 0xcc9e2d51);
    const mixed = this.#left ^ Math.imul((block << 15) | (block >>> 17), 0x1b873593);
    this.#left = (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
    this.#right = Math.imul(this.#right ^ this.#left ^ (this.#right >>> 15), 0x2c1b3c6d) + word;
  }
}

function hex(lane: number): string {
  return (lane >>> 0).toString(16).padStart(8, '0');
}

/**
 * Stands in for SHA-256 where only equality counts: in a simulated life nobody forges an entry, and
 * a real digest of each would be a good part of what the life costs. 53 bits of FNV-like lanes.
 */
export function traceDigest(text: string): string {
  let left = 0xdeadbeef;
  let right = 0x41c6ce57;
  for (let place = 0; place < text.length; place += 1) {
    const unit = text.charCodeAt(place);
    left = Math.imul(left ^ unit, 0x9e3779b1);
    right = Math.imul(right ^ unit, 0x5f356495);
  }
  left =
    Math.imul(left ^ (left >>> 16), 0x85ebca6b) ^ Math.imul(right ^ (right >>> 13), 0xc2b2ae35);
  right =
    Math.imul(right ^ (right >>> 16), 0x85ebca6b) ^ Math.imul(left ^ (left >>> 13), 0xc2b2ae35);
  return hex(left) + hex(right);
}
