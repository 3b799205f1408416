import { describe, expect, test } from 'vitest';
import { EXIT } from '../../../lib/cli/exit-codes.ts';
import { renderScenario } from '../../../lib/cli/render/scenario.ts';
import { PLAIN } from '../../../lib/cli/render/style.ts';
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
    expect((await invoke(words)).output).toBe(first.output);
    const broken = {
      ...result,
      passed: false,
      violations: [{ rule: 'dual-active', atMs: 7, detail: 'both' }],
    };
    expect(renderScenario(broken, PLAIN).join('\n')).toContain('✖ dual-active at');
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
