/** What people say to runs and to the rules that hold them, against the real API of a real region. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../../lib/cli/exit-codes.ts';
import type { ServicePolicy } from '../../../lib/recovery/policy.ts';
import {
  type InvokeOptions,
  invoke,
  type LiveApi,
  startLiveApi,
} from '../../support/command-line.ts';
import { policyOf } from '../../support/control-plane-fixture.ts';

let api: LiveApi;

/** `checkout` asks for a second person; `search` is served by both sites. */
function policies(): readonly ServicePolicy[] {
  const [checkout, search] = [policyOf('checkout'), policyOf('search')];
  return [
    { ...checkout, safety: { ...checkout.safety, approval: 'manual' } },
    {
      ...search,
      strategy: 'active-active',
      sites: search.sites.map((site) => ({ ...site, weight: 50 })),
    },
  ];
}

beforeAll(async () => {
  api = await startLiveApi();
  const at = api.fixture.clock.wallNow();
  const words = { by: 'ana', reason: 'rules', at } as const;
  await api.fixture.commit({
    kind: 'configure',
    configHash: 'rules',
    policies: policies(),
    monitors: [],
    ...words,
  });
  await api.find('us-east-1', 'healthy');
  await api.find('us-west-2', 'healthy');
});

afterAll(() => api.close());

function tripoint(words: readonly string[], options: InvokeOptions = {}) {
  return invoke([...words, ...api.options], options);
}

function stateOf(service: string) {
  const state = api.fixture.plane.status().state.services[service];
  expect(state).toBeDefined();
  return state as NonNullable<typeof state>;
}

function runOf(service: string): string {
  return api.fixture.plane.status().state.runs.findLast((run) => run.service === service)?.id ?? '';
}

const WHY = ['--reason', 'because'] as const;
const ASK = ['failover', 'checkout', '--to', 'us-west-2', ...WHY, '--yes', '--no-wait'] as const;

describe('tripoint approve', () => {
  test('is asked for by status, shows the loss, and is not for the one who asked', async () => {
    expect((await tripoint(ASK)).exitCode).toBe(EXIT.ok);
    const run = runOf('checkout');
    const { output, messages } = await tripoint(['status']);
    expect(output).toMatch(new RegExp(`${run} waits since .* for somebody other than cli:`));
    expect(messages).toContain(`Next: tripoint approve ${run} --reason TEXT`);
    const alone = await tripoint(['approve', run, ...WHY], { typed: 'y' });
    expect(alone.messages).toContain('how much data is lost is not known');
    expect(alone.messages).toContain('approver-asked-for-it');
    expect(alone.exitCode).toBe(EXIT.refused);
  });

  test('changes nothing as a dry run, and needs a yes', async () => {
    const words = ['approve', runOf('checkout'), '--by', 'ben', ...WHY];
    const dry = await tripoint([...words, '--dry-run']);
    expect(dry).toMatchObject({
      exitCode: EXIT.ok,
      output: expect.stringMatching(/^would be accepted/),
    });
    expect((await tripoint(words, { typed: 'n' })).exitCode).toBe(EXIT.usage);
    expect(stateOf('checkout').phase.kind).toBe('recovering');
    const document = JSON.parse((await tripoint([...words, '--json'])).output);
    expect(document).toMatchObject({ confirmed: false, approve: { loss: { lagMs: null } } });
  });

  test('by a second person lets the run go on to its end', async () => {
    const run = runOf('checkout');
    const words = ['approve', run, '--by', 'ben', ...WHY, '--yes'];
    expect(await tripoint(words)).toMatchObject({
      exitCode: EXIT.ok,
      output: expect.stringMatching(
        /^ben approved approve of checkout-\d+: because \(entry \d+\)\n$/,
      ),
    });
    await expect.poll(() => stateOf('checkout').phase.kind).toBe('steady');
    expect(stateOf('checkout').activeSite).toBe('us-west-2');
    expect((await tripoint(['runs', run])).output).toContain('approve: approved by ben: because');
    expect((await tripoint(words)).messages).toContain('not-waiting-for-approval');
  });
});

describe('tripoint reject and cancel', () => {
  test('end a run that has not moved anything yet', async () => {
    for (const verdict of ['reject', 'cancel']) {
      const back = ['failback', 'checkout', ...WHY, '--yes', '--no-wait', '--at-once'];
      expect((await tripoint(back)).exitCode).toBe(EXIT.ok);
      const words = [verdict, runOf('checkout'), ...WHY];
      const asked = await tripoint(words);
      expect(asked.exitCode).toBe(EXIT.usage);
      expect(asked.output).toContain('failback of checkout: us-west-2 → us-east-1');
      expect((await tripoint([...words, '--yes'])).exitCode).toBe(EXIT.ok);
      await expect.poll(() => stateOf('checkout').phase.kind).toBe('steady');
      expect(stateOf('checkout').activeSite).toBe('us-west-2');
    }
  });

  test('of a run that has ended is refused before anything is asked', async () => {
    const { exitCode, output, messages } = await tripoint(['cancel', runOf('checkout'), ...WHY]);
    expect({ exitCode, output }).toEqual({ exitCode: EXIT.refused, output: '' });
    expect(messages).toContain('run-not-open');
  });

  test('of a run that nobody knows is refused', async () => {
    const { exitCode, messages } = await tripoint(['cancel', 'checkout-1', ...WHY, '--yes']);
    expect(exitCode).not.toBe(EXIT.ok);
    expect(messages).toContain('unknown-run');
  });
});

describe('tripoint failover', () => {
  test('shows mode, stages and loss of the run that would begin', async () => {
    const words = ['failover', 'checkout', '--to', 'us-east-1', ...WHY];
    const { output } = await tripoint([
      ...words,
      '--mode',
      'emergency',
      '--accept-loss',
      '--dry-run',
    ]);
    expect(output).toContain('how much data is lost is not known');
    expect(output).toMatch(/emergency run, step by step:\n[\s\S]*\n +1 {2}approve\n/);
    expect(output).toMatch(/ 2 {2}switch\n/);
    const { output: asked } = await tripoint([...words, '--mode', 'emergency', '--accept-loss']);
    expect(asked).toMatch(/emergency run, in this order:\n +1\. approve: /);
    expect((await tripoint([...words, '--mode', 'gentle'])).exitCode).toBe(EXIT.usage);
  });
});

describe('tripoint plan show', () => {
  test('is in the mode that a run would have now, and says what cancelling takes back', async () => {
    const { output } = await tripoint(['plan', 'show', 'checkout']);
    expect(output).toMatch(/^failover of checkout, graceful: us-west-2 → us-east-1;/);
    expect(output).toContain('report (may fail)');
  });

  test('of a run to the site that serves is refused', async () => {
    const { exitCode, messages } = await tripoint([
      'plan',
      'show',
      'checkout',
      '--to',
      'us-west-2',
    ]);
    expect(exitCode).not.toBe(EXIT.ok);
    expect(messages).toContain('already-active');
  });
});

describe('tripoint status of one service', () => {
  test('leaves the others out, and names those there are', async () => {
    const { output } = await tripoint(['status', 'search']);
    expect(output).toContain('search.example.test');
    expect(output).not.toContain('checkout.example.test');
    expect((await tripoint(['status', 'serch'])).messages).toContain(
      'There are: checkout, search.',
    );
  });
});

describe('tripoint failover of shares', () => {
  test('names the site and the shares that the dry run answers', async () => {
    const words = ['failover', 'search', '--to', 'us-west-2', ...WHY, '--accept-loss', '--dry-run'];
    const { output } = await tripoint(words);
    expect(output).toMatch(/^failover of search: .* → us-west-2\n/);
  });
});

describe('tripoint freeze', () => {
  test('of a service, and of all, stands in status until it is ended', async () => {
    const freeze = ['freeze', '--for', '30m', ...WHY];
    expect((await tripoint([...freeze, '--dry-run'])).output).toMatch(/^would be accepted/);
    expect((await tripoint(['freeze', 'checkout', '--for', '2h', ...WHY])).exitCode).toBe(EXIT.ok);
    expect((await tripoint(freeze)).exitCode).toBe(EXIT.ok);
    const { output } = await tripoint(['status']);
    expect(output).toMatch(/all services are frozen until .*, by cli:\w+: because/);
    expect(output).toMatch(/ {2}frozen until .*, by cli:\w+: because/);
    expect((await tripoint(['unfreeze', ...WHY])).exitCode).toBe(EXIT.ok);
    expect((await tripoint(['unfreeze', 'checkout', ...WHY])).exitCode).toBe(EXIT.ok);
    expect((await tripoint(['unfreeze', 'checkout', ...WHY])).exitCode).toBe(EXIT.refused);
  });

  test.each([['169h'], ['0s']])('does not last %s', async (duration) => {
    expect((await tripoint(['freeze', '--for', duration, ...WHY])).exitCode).toBe(EXIT.usage);
  });
});

describe('tripoint override', () => {
  const words = ['override', 'checkout', 'approval', ...WHY];

  test('says what it loosens, asks, and stands until it is ended', async () => {
    const asked = await tripoint([...words, '--for', '30m'], { typed: 'n' });
    expect(asked.messages).toContain('runs wait for no second person');
    expect(asked.messages).toContain('for 30m, then the rule holds again');
    expect(stateOf('checkout').overrides).toEqual([]);
    expect((await tripoint([...words, '--for', '30m', '--yes'])).exitCode).toBe(EXIT.ok);
    expect((await tripoint(['status'])).output).toContain('approval is set aside until');
    expect((await tripoint([...words, '--end'])).exitCode).toBe(EXIT.ok);
    expect(stateOf('checkout').overrides).toEqual([]);
  });

  test('needs a rule that can be set aside, and an end', async () => {
    const endless = await tripoint(words);
    expect(endless).toMatchObject({ exitCode: EXIT.usage });
    expect(endless.messages).toContain('duration-missing');
    const fence = ['override', 'checkout', 'fencing', '--for', '1h', ...WHY, '--yes'];
    expect((await tripoint(fence)).exitCode).toBe(EXIT.usage);
  });
});

describe('tripoint acknowledge', () => {
  test('is refused while nothing waits for it', async () => {
    const { exitCode, messages } = await tripoint(['acknowledge', 'checkout', ...WHY]);
    expect(exitCode).toBe(EXIT.refused);
    expect(messages).toContain('nothing-to-acknowledge');
  });
});

describe('tripoint weights', () => {
  const weights = ['weights', 'search', 'us-east-1=80', 'us-west-2=20', ...WHY];

  test('shows the run that would change them', async () => {
    const before = stateOf('search').traffic;
    const { exitCode, output } = await tripoint([...weights, '--dry-run']);
    expect(output).toContain('shares of search: us-east-1 80 %, us-west-2 20 %');
    expect(output).toContain('would be refused: target-not-healthy');
    expect(exitCode).toBe(EXIT.refused);
    expect(stateOf('search').traffic).toEqual(before);
  });

  test.each([[['us-east-1=120']], [['us-east-1=50', 'us-east-1=50']], [['us-east-1']]])(
    'does not take %j',
    async (shares) => {
      const { exitCode } = await tripoint(['weights', 'search', ...shares, ...WHY, '--yes']);
      expect(exitCode).toBe(EXIT.usage);
    },
  );

  test('of a service with one active site are refused by the log', async () => {
    const words = ['weights', 'checkout', 'us-east-1=50', 'us-west-2=50', ...WHY, '--yes'];
    expect((await tripoint(words)).exitCode).toBe(EXIT.refused);
  });
});

describe('tripoint drill end', () => {
  test('is refused while home is not healthy, and goes by force, which is recorded', async () => {
    const loosen = ['override', 'checkout', 'approval', '--for', '30m', ...WHY, '--yes'];
    expect((await tripoint(loosen)).exitCode).toBe(EXIT.ok);
    const begun = await tripoint(['drill', 'checkout', '--yes', ...WHY]);
    expect(begun).toMatchObject({ exitCode: EXIT.ok });
    const home = stateOf('checkout').drill?.homeSite ?? '';
    await api.find(home, 'failed');
    const end = ['drill', 'end', 'checkout', ...WHY];
    const refused = await tripoint(end);
    expect(refused.exitCode).toBe(EXIT.refused);
    expect(refused.messages).toContain('target-not-healthy');
    expect(refused.messages).toContain('only force takes the traffic there');
    const forced = await tripoint([...end, '--force']);
    expect(forced).toMatchObject({ exitCode: EXIT.ok });
    expect(forced.output).toContain(`back to ${home} (failed, forced): as asked`);
    expect((await tripoint(['log'])).output).toMatch(/checkout, forced, by cli:\w+: because/);
  });
});
