/**
 * A process of a torture run: a few clients, each doing one operation after the other on the log, as a
 * function of the region would. It neither beats nor elects.
 *
 * A command whose outcome is unknown is proposed again under its id, a few times: it is still the same
 * operation, and may take effect once.
 */
import type { Random } from '../../lib/base/clock.ts';
import { commandId } from '../../lib/base/identifiers.ts';
import { invariant } from '../../lib/base/invariant.ts';
import { type ChildParts, runChild } from '../../lib/local/child-main.ts';
import { SYSTEM_CLOCK } from '../../lib/local/system-clock.ts';
import type { RegisterOperation } from '../../lib/simulation/history.ts';
import { wrote } from '../../lib/simulation/key-value-machine.ts';
import { integerBetween, seededRandom } from '../../lib/simulation/random.ts';
import { type Member, openMember } from './member.ts';
import { type Answer, OperationJournal } from './operation-journal.ts';
import { CLIENTS_PER_PROCESS, type ClientSettings, KEYS } from './settings.ts';

/** Within the window in which the log remembers an id, at the rate that these pauses leave. */
const ATTEMPTS_MAX = 3;
const PAUSE_MS_MIN = 20;
const PAUSE_MS_MAX = 120;

const [, , processName = 'client'] = process.argv;

runChild<ClientSettings>(processName, async (settings, { log, prepared }): Promise<ChildParts> => {
  const member = openMember(settings, log);
  const journal = new OperationJournal(settings.operationsFile);
  await prepared();
  let isOver = false;
  const clients = Array.from({ length: CLIENTS_PER_PROCESS }, async (_, position) => {
    const number = settings.firstClient + position;
    const client = new Client(member, { ...settings, number, journal });
    while (!isOver) {
      await client.act();
    }
  });
  const done = Promise.all(clients);
  return {
    stop: async () => {
      isOver = true;
      await done;
      member.close();
    },
  };
});

interface ClientOptions extends Pick<ClientSettings, 'seed' | 'isReadConfirmed'> {
  readonly number: number;
  readonly journal: OperationJournal;
}

type Write = Exclude<RegisterOperation, { kind: 'read' }>;

class Client {
  readonly #member: Member;
  readonly #options: ClientOptions;
  readonly #random: Random;
  /** What this client last knew of each key: what a swap of its own expects. */
  readonly #known = new Map<string, string>();
  #count = 0;

  constructor(member: Member, options: ClientOptions) {
    this.#member = member;
    this.#options = options;
    this.#random = seededRandom(options.seed + options.number);
  }

  /** One operation, and a pause. */
  async act(): Promise<void> {
    const { number, journal } = this.#options;
    this.#count += 1;
    const id = `${number}-${this.#count}`;
    const op = this.#choose(`v${id}`);
    journal.begin({ id, client: number, op });
    const answer = await (op.kind === 'read' ? this.#read(op.key) : this.#write(id, op));
    journal.end(id, answer);
    await SYSTEM_CLOCK.sleep(integerBetween(this.#random, PAUSE_MS_MIN, PAUSE_MS_MAX));
  }

  /** @param value never written before. */
  #choose(value: string): RegisterOperation {
    const key = KEYS[integerBetween(this.#random, 0, KEYS.length - 1)] ?? KEYS[0];
    const dice = this.#random();
    const known = this.#known.get(key);
    if (dice < 0.35) {
      return { kind: 'read', key };
    }
    return dice < 0.6 && known !== undefined
      ? { kind: 'cas', key, from: known, to: value }
      : { kind: 'write', key, value };
  }

  async #read(key: string): Promise<Answer> {
    const { host } = this.#member;
    const isCurrent = !this.#options.isReadConfirmed || (await host.confirmLeadership());
    if (!isCurrent) {
      return { outcome: 'fail', result: null, index: null };
    }
    const value = host.replica.state.values[key];
    if (value !== undefined) {
      this.#known.set(key, value);
    }
    return { outcome: 'ok', result: value ?? null, index: null };
  }

  async #write(id: string, op: Write): Promise<Answer> {
    let isInDoubt = false;
    for (let attempts = 0; attempts < ATTEMPTS_MAX; attempts += 1) {
      const outcome = await this.#member.host.propose(commandId(id), { ...op });
      if (outcome.kind === 'committed') {
        return this.#committed(op, outcome.index, wrote(outcome.result));
      }
      invariant(
        outcome.kind !== 'rejected' || outcome.code !== 'command-id-reused',
        'own-id-reused',
        { id },
      );
      isInDoubt ||= outcome.kind === 'unknown';
      if (!isInDoubt) {
        return { outcome: 'fail', result: null, index: null };
      }
    }
    return { outcome: 'unknown', result: null, index: null };
  }

  /** A swap that found another value is an answer about what stood there, and is judged as one. */
  #committed(op: Write, index: number, isWritten: boolean): Answer {
    if (!isWritten) {
      this.#known.delete(op.key);
      return { outcome: 'ok', result: false, index };
    }
    this.#known.set(op.key, op.kind === 'cas' ? op.to : op.value);
    return { outcome: 'ok', result: op.kind === 'cas' ? true : null, index };
  }
}
