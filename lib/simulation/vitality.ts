/** What holds a process back: nothing reaches a dead one, a frozen one hears it when it thaws. */
export class Vitality {
  #state: 'alive' | 'frozen' | 'dead' = 'alive';
  #held: (() => void)[] = [];

  get isAlive(): boolean {
    return this.#state === 'alive';
  }

  get isDead(): boolean {
    return this.#state === 'dead';
  }

  deliver(run: () => void): void {
    if (this.#state === 'alive') {
      run();
    } else if (this.#state === 'frozen') {
      this.#held.push(run);
    }
  }

  freeze(): void {
    this.#state = this.#state === 'dead' ? 'dead' : 'frozen';
  }

  thaw(): void {
    if (this.#state !== 'frozen') {
      return;
    }
    this.#state = 'alive';
    const held = this.#held;
    this.#held = [];
    for (const run of held) {
      run();
    }
  }

  kill(): void {
    this.#state = 'dead';
    this.#held = [];
  }
}
