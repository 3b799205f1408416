import { describe, expect, test } from 'vitest';
import type { JsonValue } from '../../../lib/base/json.ts';
import { decodeReplica, emptyReplica, encodeReplica } from '../../../lib/consensus/replica.ts';
import { createControlMachine, reduce } from '../../../lib/control/machine.ts';
import { completedPolicy, migrateState } from '../../../lib/control/state-migration.ts';
import { openSteps } from '../../../lib/recovery/run.ts';
import type { RecoveryState } from '../../../lib/recovery/state.ts';
import { steadyStory } from '../../support/log-story.ts';
import { EAST, OBSERVERS, servicePolicy, WEST } from '../../support/service-states.ts';

type Json = { [name: string]: JsonValue };

/** The state as the first version would have stored it: without what came later. */
function asFirstVersion(state: RecoveryState): JsonValue {
  const plain = JSON.parse(JSON.stringify(state)) as Json;
  const services = Object.values(plain['services'] as Json) as Json[];
  drop(plain, 'freeze', 'monitors');
  for (const service of services) {
    drop(service, 'traffic', 'granted', 'acknowledgement', 'overrides', 'freeze', 'drill');
    drop(service, 'unprotectedSince', 'isTrafficInDoubt', 'weights', 'readiness');
    asFirstPolicy(service['policy'] as Json);
  }
  for (const run of plain['runs'] as Json[]) {
    drop(run, 'mode', 'traffic', 'before', 'loss', 'approvals', 'parent', 'onFailure');
    drop(run, 'reverting', 'revertAt');
    for (const step of run['steps'] as Json[]) {
      drop(step, 'action', 'stage', 'timeoutMs', 'mode', 'when', 'undo', 'isUndo', 'openedAt');
      drop(step, 'epoch', 'waits');
    }
  }
  return plain;
}

function asFirstPolicy(policy: Json): void {
  drop(policy, 'fencing', 'replication', 'alarms', 'returning', 'database', 'notify', 'plans');
  drop(policy, 'drill');
  drop(policy['safety'] as Json, 'acknowledgement', 'approval');
  for (const site of policy['sites'] as Json[]) {
    drop(site, 'capacity', 'weight');
  }
}

function drop(object: Json, ...names: readonly string[]): void {
  for (const name of names) {
    delete object[name];
  }
}

const failedOver = () => {
  const story = steadyStory();
  story.say(EAST, 'failed');
  return story;
};

describe('a state that the first version stored', () => {
  test('goes on: the open run is finished, and the service serves where it did', () => {
    const story = failedOver();
    let state = migrateState(asFirstVersion(story.state()));
    expect(state.services['checkout']).toMatchObject({
      activeSite: WEST,
      traffic: { [WEST]: 100 },
      granted: true,
      isTrafficInDoubt: false,
    });
    const at = story.now();
    for (let index = 900; state.runs.some(({ outcome }) => outcome.kind === 'open'); index += 2) {
      const run = state.runs.find(({ outcome }) => outcome.kind === 'open');
      const [step] = run === undefined ? [] : openSteps(run);
      const claim = {
        run: run?.id ?? '',
        step: step?.name ?? '',
        attempt: (step?.attempt ?? 0) + 1,
      };
      const [worker = EAST as never] = OBSERVERS;
      const base = { index, term: 2 } as never;
      state = reduce(state, { kind: 'claim-step', ...claim, worker, at }, base).state;
      const result = { kind: 'done', evidence: null } as const;
      const next = { index: index + 1, term: 2 } as never;
      state = reduce(state, { kind: 'finish-step', ...claim, result, at }, next).state;
      expect(index).toBeLessThan(930);
    }
    expect(state.runs.at(-1)).toMatchObject({ to: WEST, outcome: { kind: 'done' } });
    expect(state.services['checkout']?.phase.kind).toBe('steady');
  });

  test('comes back through the text of a snapshot', () => {
    const machine = createControlMachine(OBSERVERS);
    const old = { ...emptyReplica(machine), state: asFirstVersion(failedOver().state()) };
    const { state } = decodeReplica<RecoveryState>(encodeReplica(old), machine.restore);
    expect(state).toEqual(migrateState(old.state));
    expect(state.freeze).toBeNull();
  });

  test('leaves traffic in doubt where the last run failed', () => {
    const story = failedOver();
    story.finishStep({ kind: 'failed', code: 'foreign-record' });
    const { services } = migrateState(asFirstVersion(story.state()));
    expect(services['checkout']?.isTrafficInDoubt).toBe(true);
  });
});

describe('what is complete', () => {
  test('comes back as it is, down to the order of its members', () => {
    const state = failedOver().state();
    const text = JSON.stringify(state);
    expect(JSON.stringify(migrateState(JSON.parse(text)))).toBe(text);
  });

  test('a policy of an old entry is completed, and keeps what it says', () => {
    const policy = JSON.parse(JSON.stringify(servicePolicy())) as Json;
    asFirstPolicy(policy);
    expect(completedPolicy(policy as never)).toEqual(servicePolicy());
    const own = servicePolicy({ fencing: 'lease', notify: [] });
    expect(completedPolicy(own)).toEqual(own);
  });
});
