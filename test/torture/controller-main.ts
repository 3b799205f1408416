/** A process of a torture run: the controller of one region. It beats, elects, follows and compacts. */
import { Compactor } from '../../lib/consensus/compactor.ts';
import { Pulse } from '../../lib/consensus/pulse.ts';
import { type ChildParts, runChild } from '../../lib/local/child-main.ts';
import { SYSTEM_CLOCK } from '../../lib/local/system-clock.ts';
import { openMember } from './member.ts';
import { type MemberSettings, TIMINGS } from './settings.ts';

const COMPACTION_PERIOD_MS = 500;

const [, , processName = 'controller'] = process.argv;

runChild<MemberSettings>(processName, async (settings, { log, prepared }): Promise<ChildParts> => {
  const { cluster, host, close } = openMember(settings, log);
  const pulse = new Pulse(cluster, host);
  const compactor = new Compactor(cluster, host);
  await prepared();
  let isOver = false;
  const repeat = async (periodMs: number, round: () => Promise<void>) => {
    while (!isOver) {
      await round();
      await SYSTEM_CLOCK.sleep(periodMs);
    }
  };
  // A loop that fails ends the process, loudly: the run counts that as a violation.
  const loops = Promise.all([
    repeat(TIMINGS.beatMs, () => pulse.tick()),
    // Nothing is archived here: what this region applied may be forgotten.
    repeat(COMPACTION_PERIOD_MS, () => compactor.tick(host.replica.applied.index)),
  ]);
  return {
    stop: async () => {
      isOver = true;
      await loops;
      close();
    },
  };
});
