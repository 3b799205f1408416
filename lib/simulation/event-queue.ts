/**
 * What is going to happen, soonest first: a binary heap over the instant, and over the order of
 * scheduling among those of one instant.
 */
export interface ScheduledEvent {
  readonly at: number;
  readonly order: number;
  readonly label: string;
  /** Null when it was called off. */
  run: (() => void) | null;
}

export class EventQueue {
  readonly #heap: ScheduledEvent[] = [];
  #scheduled = 0;

  push(at: number, run: () => void, label: string): ScheduledEvent {
    this.#scheduled += 1;
    const event: ScheduledEvent = { at, order: this.#scheduled, label, run };
    this.#rise(event);
    return event;
  }

  /** Takes the first event out if it is due by then; null = none is. */
  popUntil(until: number): ScheduledEvent | null {
    const [first] = this.#heap;
    if (first === undefined || first.at > until) {
      return null;
    }
    const last = this.#heap.pop();
    if (last !== undefined && last !== first) {
      this.#sink(last);
    }
    return first;
  }

  /** From the end up to where it belongs. */
  #rise(event: ScheduledEvent): void {
    const heap = this.#heap;
    let place = heap.length;
    while (place > 0) {
      const above = (place - 1) >>> 1;
      const parent = heap[above];
      if (parent === undefined || isBefore(parent, event)) {
        break;
      }
      heap[place] = parent;
      place = above;
    }
    heap[place] = event;
  }

  /** From the top down to where it belongs. */
  #sink(event: ScheduledEvent): void {
    const heap = this.#heap;
    let place = 0;
    for (;;) {
      const left = heap[2 * place + 1];
      const right = heap[2 * place + 2];
      const isRight = left !== undefined && right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (child === undefined || isBefore(event, child)) {
        heap[place] = event;
        return;
      }
      heap[place] = child;
      place = 2 * place + (isRight ? 2 : 1);
    }
  }
}

function isBefore(left: ScheduledEvent, right: ScheduledEvent): boolean {
  return left.at < right.at || (left.at === right.at && left.order < right.order);
}
