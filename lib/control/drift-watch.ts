/**
 * Watches that DNS stays as the log says it is: records that a person or another program changes
 * would otherwise be found by the next failover, which is the worst time for it.
 *
 * The leader reads fence and records of services that no run is at work on, a few each round, and
 * holds them against what the log authorises (`judgeRecords`). What it finds is told once: by the event
 * `dns-drift`, and by an entry of the timeline, so that the next leader does not tell it again. It is
 * told, not mended: who changed a record by hand may have had a reason, and a run of ours would be
 * refused to overwrite it without one.
 */
import type { Clock } from '../base/clock.ts';
import type { LogEvent } from '../base/log.ts';
import { judgeRecords } from '../recovery/readiness-facts.ts';
import type { RecoveryState, ServiceState } from '../recovery/state.ts';
import { switchNames } from '../recovery/switch-plan.ts';
import type { SwitchPort } from '../recovery/switch-port.ts';
import type { ControlCommand } from './commands.ts';
import { CONTROL_LIMITS } from './limits.ts';

export interface DriftWatchOptions {
  readonly state: () => RecoveryState;
  readonly isLeading: () => boolean;
  readonly switchPort: Pick<SwitchPort, 'read' | 'sharing'>;
  readonly propose: (command: ControlCommand) => void;
  readonly clock: Pick<Clock, 'wallNow'>;
  readonly log: LogEvent;
}

const AUTHOR = 'tripoint';
const WORD = 'dns-drift:';
const IN_ORDER = `${WORD} the records are as the log says again`;

export class DriftWatch {
  readonly #options: DriftWatchOptions;
  /** What was last told of each service by this process. */
  readonly #told = new Map<string, string>();
  /** Where the next round begins. */
  #position = 0;

  constructor(options: DriftWatchOptions) {
    this.#options = options;
  }

  /** One look at some of the services. Never rejects for what the zone answers. */
  async round(): Promise<void> {
    const { state, isLeading } = this.#options;
    const services = Object.values(state().services);
    if (!isLeading() || services.length === 0) {
      return;
    }
    const { driftServicesPerRoundMax } = CONTROL_LIMITS;
    const count = Math.min(services.length, driftServicesPerRoundMax);
    for (let place = 0; place < count; place += 1) {
      const service = services[(this.#position + place) % services.length];
      if (service !== undefined) {
        await this.#look(service);
      }
    }
    this.#position = (this.#position + count) % services.length;
  }

  async #look(before: ServiceState): Promise<void> {
    const { service, dnsName } = before.policy;
    if (!this.#isAtRest(before)) {
      return;
    }
    const { switchPort, state } = this.#options;
    const reading = await switchPort.read(switchNames(dnsName));
    const after = state().services[service];
    const isSameGround = after?.epoch === before.epoch && after.policy === before.policy;
    if (reading.kind === 'unknown' || after === undefined || !isSameGround) {
      return;
    }
    if (this.#isAtRest(after)) {
      const findings = judgeRecords(after, reading, switchPort.sharing ?? 'weighted');
      const sentences = findings.map(({ subject, sentence }) => `${subject}: ${sentence}`);
      this.#tell(service, sentences.length === 0 ? null : `${WORD} ${sentences.join('; ')}`);
    }
  }

  /** A run changes records; before the first one has ended there is nothing to compare with. */
  #isAtRest({ policy, phase }: ServiceState): boolean {
    const { runs } = this.#options.state();
    const own = runs.filter((run) => run.service === policy.service);
    const isSettled = phase.kind === 'steady' || phase.kind === 'impaired';
    return isSettled && own.length > 0 && own.every(({ outcome }) => outcome.kind !== 'open');
  }

  /** null = all is in order. */
  #tell(service: string, found: string | null): void {
    const { log, propose, clock } = this.#options;
    const last = this.#told.get(service) ?? this.#lastOnTimeline(service);
    const isNews = found === null ? last !== null && last !== IN_ORDER : last !== cut(found);
    if (!isNews) {
      return;
    }
    const reason = cut(found ?? IN_ORDER);
    this.#told.set(service, reason);
    log(found === null ? 'info' : 'warn', 'dns-drift', { service, detail: reason });
    propose({ kind: 'note', service, by: AUTHOR, reason, at: clock.wallNow() });
  }

  #lastOnTimeline(service: string): string | null {
    const prefix = `${AUTHOR}: ${WORD}`;
    const event = this.#options
      .state()
      .timeline.findLast((one) => one.service === service && one.sentence.startsWith(prefix));
    return event === undefined ? null : event.sentence.slice(`${AUTHOR}: `.length);
  }
}

const REASON_CHARACTERS_MAX = 500;

function cut(text: string): string {
  return text.slice(0, REASON_CHARACTERS_MAX);
}
