/** Commands that a scenario sends into the log while time goes on, and what is heard of them. */
import type { EpochMillis } from '../../base/identifiers.ts';
import type { ControlCommand } from '../../control/commands.ts';
import type { CommandOutcome } from '../../control/control-plane.ts';
import type { Stage } from './faults.ts';

/** A person whose command is lost, or finds no leader, sends it again. */
const TRIES_MAX = 5;
const RETRY_MS = 5000;

/** @param compose the command, stamped by a region's clock */
export function propose(stage: Stage, compose: (at: EpochMillis) => ControlCommand): void {
  void tryFor(stage, compose, TRIES_MAX);
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
