/** The log as one process of a torture run takes part in it; what it applies goes into its journal. */
import type { LogEvent } from '../../lib/base/log.ts';
import { type Cluster, createCluster } from '../../lib/consensus/cluster.ts';
import { LogHost } from '../../lib/consensus/log-host.ts';
import type { StateMachine } from '../../lib/consensus/replica.ts';
import { openRegisters } from '../../lib/local/region-stores.ts';
import { SYSTEM_CLOCK, sha256 } from '../../lib/local/system-clock.ts';
import { KEY_VALUE_MACHINE, type KeyValueState } from '../../lib/simulation/key-value-machine.ts';
import { openEntryJournal } from './entry-journal.ts';
import { type MemberSettings, REGIONS, TIMINGS } from './settings.ts';

export interface Member {
  readonly cluster: Cluster;
  readonly host: LogHost<KeyValueState>;
  readonly close: () => void;
}

export function openMember(settings: MemberSettings, log: LogEvent): Member {
  const { clusterId, region, stores } = settings;
  const { registers, close } = openRegisters(clusterId, stores, 'working');
  const cluster = createCluster({
    identity: { clusterId, region, founders: REGIONS.toSorted() },
    registers,
    timings: TIMINGS,
    clock: SYSTEM_CLOCK,
    random: Math.random,
    log,
  });
  const effects = new Set<number>();
  const machine = observed((index) => effects.add(index));
  const host = new LogHost({ cluster, machine, sha256 });
  const journal = openEntryJournal(settings.entriesFile);
  host.onApplied((applied) => {
    journal.append(applied, effects);
    effects.clear();
  });
  return { cluster, host, close };
}

/** The same machine, and somebody hears at which index it is asked to apply a command. */
function observed(onEffect: (index: number) => void): StateMachine<KeyValueState> {
  return {
    ...KEY_VALUE_MACHINE,
    apply: (state, command, at) => {
      onEffect(at.index);
      return KEY_VALUE_MACHINE.apply(state, command, at);
    },
  };
}
