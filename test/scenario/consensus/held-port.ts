/**
 * A port to a memory register whose calls a story can hold back on their way, and cut off.
 *
 * A call is held as a request (the store has not heard of it) or as a reply (the store has acted, and
 * its caller does not know). Everything else goes through at once.
 */
import type { RegisterPort, RegisterWrite } from '../../../lib/consensus/register-port.ts';

export type Call = 'read' | 'write' | 'beat';
export type Half = 'request' | 'reply';

interface Hold {
  readonly call: Call;
  readonly half: Half;
  readonly until: Promise<void>;
}

export class HeldPort {
  readonly port: RegisterPort;
  /** While cut off, nothing is heard on either side. */
  isCut = false;
  #holds: readonly Hold[] = [];

  constructor(port: RegisterPort) {
    const through = <Answer>(call: Call, act: () => Promise<Answer>, silence: Answer) =>
      this.#through(call, act, silence);
    const silent = { kind: 'unreachable', cause: 'cut off' } as const;
    const unheard: RegisterWrite = { kind: 'refused', code: 'unreachable', cause: 'cut off' };
    this.port = {
      ...port,
      read: () => through('read', port.read, silent),
      compareAndSet: (expected, server) =>
        through<RegisterWrite>('write', () => port.compareAndSet(expected, server), unheard),
      readBeat: async () => (this.isCut ? silent : port.readBeat()),
      writeBeat: (beat) => through('beat', () => port.writeBeat(beat), false),
    };
  }

  /** Holds the next such call. Returns how to let it go. */
  hold(call: Call, half: Half): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#holds = [...this.#holds, { call, half, until: promise }];
    return resolve;
  }

  async #through<Answer>(call: Call, act: () => Promise<Answer>, silence: Answer): Promise<Answer> {
    if (this.isCut) {
      return silence;
    }
    const hold = this.#holds.find((one) => one.call === call);
    this.#holds = this.#holds.filter((one) => one !== hold);
    if (hold?.half === 'request') {
      await hold.until;
    }
    const answer = await act();
    if (hold?.half === 'reply') {
      await hold.until;
    }
    return answer;
  }
}
