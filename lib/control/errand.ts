/**
 * Work that is set off beside a loop, and that nobody waits for where it begins.
 *
 * What it throws is a bug like any other. It must not become a rejection without an owner, which
 * says nothing of where it came from: it is kept, and thrown to the loop when it next asks.
 *
 * Invariant: one at a time, and none after one that threw.
 */
export class Errand {
  #work: Promise<void> | null = null;

  /** Nothing, while one is under way. */
  start(work: () => Promise<void>): void {
    if (this.#work === null) {
      this.#work = work().then(() => {
        this.#work = null;
      });
      this.#work.catch(() => undefined);
    }
  }

  /** Resolves when none is under way; rejects with what it threw. */
  async settled(): Promise<void> {
    await this.#work;
  }
}
