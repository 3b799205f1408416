import { describe, expect, test } from 'vitest';
import { exitCodeOf } from '../../../lib/cli/commands/simulate-scenario.ts';
import { EXIT } from '../../../lib/cli/exit-codes.ts';
import { renderScenario } from '../../../lib/cli/render/scenario.ts';
import { PLAIN } from '../../../lib/cli/render/style.ts';
import { RULES } from '../../../lib/simulation/whole/checkers.ts';
import { judge } from '../../../lib/simulation/whole/judgement.ts';
import type { ScenarioResult } from '../../../lib/simulation/whole/run-scenario.ts';
import { invoke } from '../../support/command-line.ts';

const STAGES = {
  detectMs: 6900,
  decideMs: 140,
  actMs: 1100,
  propagateMs: 7000,
  verifyMs: 300,
  rtoMs: 15_440,
  mostServersMs: 14_000,
  halfServedMs: 14_100,
  clientsServedMs: 20_140,
};
const FILE = 'docs/examples/tripoint.yaml';

/** Of a failure that came to this, with objectives of 2 min and 5 s. */
function resultWith(rtoMs: number | null, rpoMs: number): ScenarioResult {
  const stages = { ...STAGES, rtoMs };
  return {
    ...{ scenario: 'region-loss', seed: 1, service: 'checkout', path: 'b', passed: true },
    ...{ durationMs: 600_000, timeline: [], stages, availability: 1, dualActiveMs: 0 },
    requests: { sent: 0, failed: 0 },
    loss: { rpoMs, writesLost: 0, writesDivergent: 0 },
    objectives: judge({ rtoMs: 120_000, rpoMs: 5000 }, { stages, rpoMs }),
    refusal: null,
    ...{ runs: [], effects: [], decisions: {}, violations: [], trace: '' },
    rules: Object.fromEntries(
      Object.keys(RULES).map((rule) => [rule, { looks: 1, broken: 0 }]),
    ) as ScenarioResult['rules'],
  };
}

describe('tripoint simulate with a file', () => {
  test('plays a scenario, tells what came of it, and repeats it byte for byte', async () => {
    const words = ['simulate', FILE, '--scenario', 'alarm-storm', '--seed', '5', '--json'];
    const first = await invoke(words);
    expect(first.exitCode).toBe(EXIT.ok);
    const result = JSON.parse(first.output);
    expect(result).toMatchObject({
      scenario: 'alarm-storm',
      service: 'checkout',
      passed: true,
      violations: [],
      runs: [],
      requests: { failed: 0 },
    });
    expect(result.rules['one-active-site'].looks).toBeGreaterThan(100);
    const lines = renderScenario({ ...result, stages: STAGES }, PLAIN).join('\n');
    expect(lines).toContain('us-west-2: noise is alarm');
    expect(lines).toContain('actual RTO: all name servers, verified  15.44 s');
    expect(lines).toContain('no rule was broken');
    expect(lines).not.toContain('objective');
    const { rto, rpo } = result.objectives;
    expect([rto.met, rpo.met]).toEqual([null, null]);
    expect((await invoke(words)).output).toBe(first.output);
    const broken = {
      ...result,
      passed: false,
      violations: [{ rule: 'dual-active', atMs: 7, detail: 'both' }],
    };
    expect(renderScenario(broken, PLAIN).join('\n')).toContain('✖ dual-active at');
  });

  test('says last which objective was missed or not reached', () => {
    const missed = renderScenario(resultWith(130_000, 106), PLAIN);
    expect(missed).toContain('objective (RTO) 2 min 0 s, actual 2 min 10 s: missed');
    expect(missed).toContain('objective (RPO) 5.00 s, actual 106 ms: met');
    expect(missed.at(-1)).toBe('✖ no rule was broken, but of the objectives: RTO missed');
    const late = renderScenario(resultWith(null, 6000), PLAIN);
    expect(late).toContain('objective (RTO) 2 min 0 s: not reached');
    expect(late.at(-1)).toContain('of the objectives: RTO not reached, RPO missed');
    expect(renderScenario(resultWith(120_000, 5000), PLAIN).at(-1)).toBe('● no rule was broken');
  });

  test('exits with 3 for a missed objective where that is asked for, and always with 1 for a broken rule', () => {
    const missed = resultWith(130_000, 106);
    expect(exitCodeOf(missed, {})).toBe(EXIT.ok);
    expect(exitCodeOf(missed, { exitCode: true })).toBe(EXIT.unhealthy);
    expect(exitCodeOf(resultWith(null, 106), { exitCode: true })).toBe(EXIT.unhealthy);
    expect(exitCodeOf(resultWith(1, 1), { exitCode: true })).toBe(EXIT.ok);
    expect(exitCodeOf({ ...missed, passed: false }, { exitCode: true })).toBe(EXIT.error);
  });

  test('says why a plan stood by and how to see it at work, and tells a run with its shares', () => {
    const quiet = resultWith(null, 106);
    const refusal = { code: 'automatic-off', sentence: 'the policy leaves failover to a person' };
    const lines = renderScenario({ ...quiet, refusal }, PLAIN).join('\n');
    expect(lines).toContain('no run began: automatic-off: the policy leaves failover to a person');
    expect(lines).toContain('--scenario person-answers');
    const other = { code: 'data-loss', sentence: 'too far behind' };
    const elsewhere = renderScenario({ ...quiet, refusal: other }, PLAIN).join('\n');
    expect(elsewhere).toContain('no run began: data-loss: too far behind');
    expect(elsewhere).not.toContain('person-answers');
    const shared = { id: 'r', kind: 'rebalance', outcome: 'done', traffic: { b: 60, c: 40 } };
    expect(renderScenario({ ...quiet, runs: [shared] }, PLAIN)).toContain(
      'run r: rebalance to b 60 %, c 40 %, done',
    );
  });

  test('lists the scenarios, and refuses one that there is not', async () => {
    const listed = await invoke(['simulate', '--list', '--json']);
    const names = JSON.parse(listed.output).scenarios.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['region-loss', 'partition-minority', 'drill']));
    const refused = await invoke(['simulate', FILE, '--scenario', 'meteor', '--json']);
    expect(refused.exitCode).toBe(EXIT.error);
    expect(JSON.parse(refused.output).error.code).toBe('scenario-unknown');
  });
});
