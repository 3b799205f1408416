/** Failover and failback by command: plan, confirmation, exactly one run, and its end. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../../lib/cli/exit-codes.ts';
import {
  type InvokeOptions,
  invoke,
  type LiveApi,
  startLiveApi,
} from '../../support/command-line.ts';

let api: LiveApi;

beforeAll(async () => {
  api = await startLiveApi();
  await api.find('us-east-1', 'healthy');
});

afterAll(() => api.close());

function tripoint(words: readonly string[], options: InvokeOptions = {}) {
  return invoke([...words, ...api.options], options);
}

function runCount(): number {
  return api.fixture.plane.status().state.runs.filter(({ kind }) => kind !== 'setup').length;
}

function activeSite(): string | undefined {
  return api.fixture.plane.status().state.services['checkout']?.activeSite;
}

const FAILOVER = ['failover', 'checkout', '--reason', 'maintenance'];

describe('tripoint failover', () => {
  test('needs a reason', async () => {
    const { exitCode, messages } = await tripoint(['failover', 'checkout']);
    expect(exitCode).toBe(EXIT.usage);
    expect(messages).toContain("required option '-r, --reason <text>' not specified");
  });

  test('is refused with the reason code while no other site is healthy', async () => {
    const { exitCode, messages } = await tripoint([...FAILOVER, '--yes']);
    expect(exitCode).toBe(EXIT.refused);
    expect(messages).toContain('✖ no-healthy-target');
    const named = await tripoint([...FAILOVER, '--to', 'us-west-2', '--yes', '--json']);
    expect(JSON.parse(named.output)).toMatchObject({ error: { code: 'target-not-healthy' } });
    expect(runCount()).toBe(0);
  });

  test('shows its plan with --dry-run, and changes nothing', async () => {
    await api.find('us-west-2', 'healthy');
    const { exitCode, output } = await tripoint([...FAILOVER, '--dry-run']);
    expect(exitCode).toBe(EXIT.ok);
    expect(output).toMatch(
      / - checkout\.example\.test\. 5 IN A 192\.0\.2\.1\n[\s\S]* \+ checkout\.example\.test\. 5 IN A 192\.0\.2\.2\n/,
    );
    expect(output).toContain('calls would change something; none was made');
    expect(runCount()).toBe(0);
  });

  test('prints the plan and exits with 2 where nobody can be asked', async () => {
    const { exitCode, output, messages } = await tripoint(FAILOVER);
    expect(exitCode).toBe(EXIT.usage);
    expect(output).toContain('failover of checkout: us-east-1 → us-west-2');
    expect(messages).toContain('--yes');
    const { output: document } = await tripoint([...FAILOVER, '--json'], { typed: 'y' });
    expect(JSON.parse(document)).toMatchObject({ confirmed: false, plan: { to: 'us-west-2' } });
    expect(runCount()).toBe(0);
  });

  test('changes nothing when the answer is not yes', async () => {
    for (const typed of ['', 'n', 'yesterday']) {
      const { exitCode, messages } = await tripoint(FAILOVER, { typed });
      expect(exitCode).toBe(EXIT.usage);
      expect(messages).toContain('Move checkout to us-west-2 now? [y/N] Nothing was changed.');
    }
    expect(runCount()).toBe(0);
  });

  test('moves the service once it is confirmed, and tells each step', async () => {
    const { exitCode, output, messages } = await tripoint(FAILOVER, { typed: 'y' });
    expect(exitCode).toBe(EXIT.ok);
    expect(messages).toMatch(
      /switch: ● done[\s\S]*verify: ● done[\s\S]*● done[\s\S]*Next: tripoint reports checkout-\d+ --markdown/,
    );
    expect(output).toMatch(
      /^checkout-\d+ {2}● done\n {2}manual failover of checkout: us-east-1 → us-west-2/,
    );
    expect(output).toMatch(/total {6}\d/);
    expect(activeSite()).toBe('us-west-2');
    expect(runCount()).toBe(1);
  });

  test('has a report afterwards', async () => {
    const id = api.fixture.plane.status().state.runs.at(-1)?.id ?? '';
    const { exitCode, output } = await tripoint(['reports', id, '--markdown']);
    expect(exitCode).toBe(EXIT.ok);
    expect(output).toContain(id);
    expect(JSON.parse((await tripoint(['reports', id, '--json'])).output)).toBeTypeOf('object');
  });

  test('of a service that does not exist names those that do', async () => {
    const { exitCode, messages } = await tripoint([
      'failover',
      'chekout',
      '--reason',
      'x',
      '--yes',
    ]);
    expect(exitCode).toBe(EXIT.error);
    expect(messages).toContain('Services: checkout, search.');
  });
});

describe('tripoint failback', () => {
  test('suggests itself when the primary site is healthy again', async () => {
    expect((await tripoint(['status'])).messages).toContain(
      'Next: tripoint failback checkout --reason TEXT',
    );
  });

  test('returns as soon as the run has begun with --no-wait', async () => {
    const { exitCode, output } = await tripoint([
      'failback',
      'checkout',
      '--reason',
      'back',
      '--yes',
      '--no-wait',
    ]);
    expect(exitCode).toBe(EXIT.ok);
    expect(output).toMatch(/^checkout-\d+\n$/);
    await expect.poll(activeSite).toBe('us-east-1');
  });
});

describe('a majority that does not answer', () => {
  test('makes the outcome of a command unknown, with its id and exit code 6', async () => {
    api.fixture.setWeather('lossy');
    const { exitCode, output } = await tripoint(['note', 'checkout', 'lost?', '--json']);
    api.fixture.setWeather('fine');
    expect(exitCode).toBe(EXIT.unknown);
    expect(JSON.parse(output)).toMatchObject({
      error: { code: 'outcome-unknown', command: expect.stringMatching(/^key:cli-/) },
    });
  });
});
