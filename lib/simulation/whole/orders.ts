/** Commands that a scenario sends into the log while time goes on, and what is heard of them. */
import type { EpochMillis } from '../../base/identifiers.ts';
import type { ControlCommand } from '../../control/commands.ts';
import type { CommandOutcome } from '../../control/control-plane.ts';
import { openSteps } from '../../recovery/run.ts';
import type { Stage } from './faults.ts';
import { isRecoveryFrom } from './judgement.ts';

/** A person whose command is lost, or finds no leader, sends it again. */
const TRIES_MAX = 5;
const RETRY_MS = 5000;

/** @param compose the command, stamped by a region's clock */
export function propose(stage: Stage, compose: (at: EpochMillis) => ControlCommand): void {
  void tryFor(stage, compose, TRIES_MAX);
}

/** What a person does who is paged because the site is lost: begins the failover, unless that was done. */
export function answerPage(stage: Stage, site: string): void {
  const { service } = stage.whole.options;
  const isBegun = stage.whole.state?.runs.some(
    (run) => run.service === service && isRecoveryFrom(run, site) && run.outcome.kind !== 'failed',
  );
  if (isBegun === true) {
    stage.tell('the person who is paged finds a run begun, and lets it be');
    return;
  }
  const asked = { service, by: 'simulation', reason: 'the page says that the site is lost' };
  propose(stage, (at) => ({ kind: 'failover', at, to: null, force: false, ...asked }));
}

/** A second person lets every step pass that waits for one. */
export function approveWaiting(stage: Stage): void {
  const { service } = stage.whole.options;
  for (const run of stage.whole.state?.runs ?? []) {
    const waiting = run.service === service && run.outcome.kind === 'open' ? openSteps(run) : [];
    for (const { name: step } of waiting.filter(({ action }) => action.kind === 'approve')) {
      const asked = { by: 'second person', reason: 'the site is lost', run: run.id, step };
      propose(stage, (at) => ({ kind: 'approve', at, verdict: 'approve', ...asked }));
    }
  }
}

async function tryFor(
  stage: Stage,
  compose: (at: EpochMillis) => ControlCommand,
  tries: number,
): Promise<void> {
  const { whole, tell } = stage;
  const command = compose(whole.stamp());
  const outcome = await whole.propose(command);
  if (outcome?.kind !== 'committed' && tries > 1) {
    whole.world.after(RETRY_MS, () => void tryFor(stage, compose, tries - 1), 'order');
    return;
  }
  if (command.kind !== 'alarm') {
    tell(`${command.kind}: ${described(outcome)}`);
  }
}

function described(outcome: CommandOutcome | null): string {
  if (outcome?.kind !== 'committed') {
    return outcome === null ? 'no region answers' : `not committed (${outcome.kind})`;
  }
  const { kind, code, sentence } = outcome.result;
  return `${kind}, ${code}: ${sentence}`;
}
