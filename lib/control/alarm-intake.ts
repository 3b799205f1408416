/**
 * The way of an alarm into the log, whoever raises it: asks first whether it says anything new, so
 * that a storm costs reads and no entries.
 *
 * What this region knows may be old, and an alarm that was dropped for it would be lost. So a message
 * is dropped, or put off, only after a read of the majority has said the same.
 */
import type { CommandId } from '../base/identifiers.ts';
import { type AlarmCommand, newsOfAlarm, nothingNew } from './alarm-commands.ts';
import type { CommandResult } from './commands.ts';
import type { CommandOutcome, ControlPlane } from './control-plane.ts';

export type AlarmOutcome =
  | CommandOutcome
  /** The log says so already, or something newer. No entry was written. */
  | { readonly kind: 'nothing-new'; readonly result: CommandResult }
  /** It changes too often to be taken now. The caller keeps it and brings it again. */
  | { readonly kind: 'later'; readonly retryMs: number; readonly sentence: string };

type Plane = Pick<ControlPlane, 'propose' | 'lookUp' | 'status'>;

export async function raiseAlarm(
  plane: Plane,
  id: CommandId,
  command: AlarmCommand,
): Promise<AlarmOutcome> {
  if (newsOfAlarm(plane.status().state, command)?.kind === 'news') {
    return plane.propose(id, command);
  }
  const read = await plane.lookUp(id);
  if (read.kind === 'committed') {
    return { kind: 'nothing-new', result: read.result };
  }
  if (read.kind === 'unknown') {
    return { kind: 'rejected', id, code: 'no-quorum', hint: `Send it again later: ${read.cause}.` };
  }
  const news = newsOfAlarm(plane.status().state, command);
  if (news === null || news.kind === 'news') {
    // Of a site that is not known the log says which ones are.
    return plane.propose(id, command);
  }
  const result = nothingNew(news, command);
  return news.kind === 'damped'
    ? { kind: 'later', retryMs: news.retryMs, sentence: result.sentence }
    : { kind: 'nothing-new', result };
}
