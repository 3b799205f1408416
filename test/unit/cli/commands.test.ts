/** Reading and configuring: whole commands against the real API of a real region. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../../lib/cli/exit-codes.ts';
import {
  type InvokeOptions,
  invoke,
  type LiveApi,
  startLiveApi,
} from '../../support/command-line.ts';
import { hashOf, SITE_TOKEN } from '../../support/control-plane-fixture.ts';

let api: LiveApi;

beforeAll(async () => {
  api = await startLiveApi();
  await api.find('us-east-1', 'healthy');
  await api.find('us-west-2', 'healthy');
});

afterAll(() => api.close());

function tripoint(words: readonly string[], options: InvokeOptions = {}) {
  return invoke([...words, ...api.options], options);
}

/** A file in the folder of this test. */
function file(name: string, text: string): string {
  const path = join(api.dir, name);
  writeFileSync(path, text);
  return path;
}

/** The configuration that is in force, with other services or none. */
function configuration(services: readonly string[], ttl = '5s'): string {
  const bodies = services.map(
    (service) => `  ${service}:
    dns: { name: ${service}.example.test, ttl: ${ttl} }
    primary: us-east-1
    safety: { holdDown: 0s, automaticRunsPerDay: 100 }
    sites:
      us-east-1: { address: 192.0.2.1, probe: "http://192.0.2.1/health", tokens: [sha256:${hashOf(SITE_TOKEN)}] }
      us-west-2: { address: 192.0.2.2, probe: "http://192.0.2.2/health", tokens: [sha256:${hashOf(SITE_TOKEN)}] }
`,
  );
  return `version: 1\nservices:\n${bodies.join('')}`;
}

describe('tripoint status', () => {
  test('shows the quorum and each service with its sites', async () => {
    const { exitCode, output, messages } = await tripoint(['status']);
    expect(exitCode).toBe(EXIT.ok);
    expect(output).toContain('● quorum 3 of 3  leader us-east-1');
    expect(output).toMatch(/us-west-2 {4}standby {2}● healthy/);
    expect(messages).toBe('');
  });

  test('prints one JSON document with --json', async () => {
    const { output } = await tripoint(['status', '--json']);
    expect(JSON.parse(output)).toMatchObject({
      region: 'us-east-1',
      services: [{ service: 'checkout' }, { service: 'search' }],
    });
  });

  test('exits with 3 on --exit-code, because one service was never heard of', async () => {
    expect(await tripoint(['status', '--exit-code', '-q'])).toMatchObject({
      exitCode: EXIT.unhealthy,
      messages: '',
    });
  });

  test('shows it again and again with --watch, until Ctrl-C', async () => {
    const { exitCode, output } = await tripoint(['status', '--watch', '--json'], {
      interruptAfterPauses: 3,
    });
    const documents = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(exitCode).toBe(EXIT.interrupted);
    expect(documents).toHaveLength(3);
  });
});

describe('tripoint services', () => {
  test('lists them', async () => {
    const { exitCode, output } = await tripoint(['services']);
    expect(exitCode).toBe(EXIT.ok);
    expect(output.split('\n')[1]).toMatch(/^checkout {2}checkout\.example\.test/);
  });
});

describe('tripoint log', () => {
  test('shows the latest entries, and where they go on', async () => {
    const { output, messages } = await tripoint(['log', '--after', '1', '--limit', '2']);
    expect(
      output
        .trim()
        .split('\n')
        .map((line) => line.split(/ +/)[0]),
    ).toEqual(['index', '2', '3']);
    const command = `tripoint log --after 3 --dir ${api.dir} --endpoint ${api.url} --token-file ${api.dir}/token`;
    expect(messages).toBe(`Next: ${command}  (goes on from here)\n`);
  });

  test('shows the last ones without --after', async () => {
    const { output } = await tripoint(['log', '--limit', '1', '--json']);
    const { entries, appliedIndex } = JSON.parse(output);
    expect(entries.map(({ index }: { index: number }) => index)).toEqual([appliedIndex]);
  });

  test('shows what concerns one service, its runs among them', async () => {
    const { output } = await tripoint(['log', '--after', '0', '--service', 'search']);
    const kinds = output
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.split(/ {2,}/)[3]);
    expect(kinds).toEqual(expect.arrayContaining(['claim-step', 'finish-step']));
    expect(output).not.toContain('checkout');
  });

  test('goes on with new entries with --follow, until Ctrl-C', async () => {
    const following = tripoint(['log', '--follow'], { interruptAt: 'seen by the follower' });
    await tripoint(['note', 'checkout', 'seen by the follower']);
    const { exitCode, output } = await following;
    expect(exitCode).toBe(EXIT.interrupted);
    expect(output.match(/seen by the follower/g)).toHaveLength(1);
  });
});

describe('tripoint runs', () => {
  test('lists them, shows one, and says so when there is none of that name', async () => {
    expect((await tripoint(['runs'])).output).toMatch(/^run {2,}kind/);
    const { output } = await tripoint(['runs', 'checkout-2']);
    expect(output).toContain('setup of checkout');
    const missing = await tripoint(['runs', 'checkout-999']);
    expect(missing.exitCode).toBe(EXIT.error);
    expect(missing.messages).toContain('✖ unknown-run');
  });
});

describe('tripoint note', () => {
  test('puts a remark into the log, under the name of who asked', async () => {
    expect(await tripoint(['note', 'checkout', 'drained\u001b[31m'])).toMatchObject({
      exitCode: EXIT.ok,
      output: expect.stringMatching(/^noted at entry \d+\n$/),
    });
    const { output } = await tripoint(['log', '--limit', '1']);
    expect(output).toMatch(/note {2}checkout, by cli:\w+: drained\[31m/);
  });

  test('of an unknown service fails with what is known', async () => {
    const { exitCode, messages } = await tripoint(['note', 'billing', 'x']);
    expect(exitCode).toBe(EXIT.error);
    expect(messages).toContain('unknown-service');
  });
});

describe('tripoint validate', () => {
  test('accepts the example', async () => {
    const { exitCode, output } = await invoke(['validate', 'docs/examples/tripoint.yaml']);
    expect(exitCode).toBe(EXIT.ok);
    expect(output).toMatch(/^● valid: checkout, nightly\nhash [0-9a-f]{64}\n$/);
  });

  test('lists every problem with its place, as text and as JSON', async () => {
    const path = file(
      'bad.yaml',
      configuration(['checkout']).replace('primary', 'primry').replace('192.0.2.2', 'x.y'),
    );
    const text = await invoke(['validate', path]);
    expect(text).toMatchObject({ exitCode: EXIT.error, messages: `✖ 2 problems in ${path}\n` });
    expect(text.output).toContain(
      `${path}:5:5  services.checkout.primry: unknown key primry\n  did you mean primary?`,
    );
    const { output } = await invoke(['validate', path, '--json']);
    expect(JSON.parse(output)).toMatchObject({
      valid: false,
      problems: [{ line: 5 }, { line: 9, path: 'services.checkout.sites.us-west-2.address' }],
    });
  });

  test('knows the tokens that local mode made in the same folder', async () => {
    file(
      'cluster.json',
      JSON.stringify({
        tokens: {
          CHECKOUT_US_EAST_1_TOKEN: 't'.repeat(43),
          CHECKOUT_US_WEST_2_TOKEN: 'u'.repeat(43),
        },
      }),
    );
    expect(await invoke(['validate', 'lib/local/demo.yaml', '--dir', api.dir])).toMatchObject({
      exitCode: EXIT.ok,
    });
    expect(
      await invoke(['validate', 'lib/local/demo.yaml', '--dir', join(api.dir, 'other')]),
    ).toMatchObject({ exitCode: EXIT.error });
  });

  test('says so when the file cannot be read', async () => {
    expect((await invoke(['validate', join(api.dir, 'none.yaml')])).messages).toContain(
      'config-unreadable',
    );
  });
});

describe('tripoint apply', () => {
  test('shows what would change with --dry-run, and changes nothing', async () => {
    const path = file('next.yaml', configuration(['checkout', 'search', 'billing'], '9s'));
    const { exitCode, output } = await tripoint(['apply', path, '--dry-run']);
    expect(exitCode).toBe(EXIT.ok);
    expect(output.trim().split('\n')).toEqual([
      '~ checkout.ttlSeconds: 5 → 9',
      ...probesOf('checkout'),
      '~ search.ttlSeconds: 5 → 9',
      ...probesOf('search'),
      '+ billing: billing.example.test, 2 sites',
      expect.stringMatching(/^would be accepted: /),
    ]);
    expect((await tripoint(['services'])).output).not.toContain('billing');
  });

  test('applies additions at once, and has nothing to do the second time', async () => {
    const path = file('more.yaml', configuration(['checkout', 'search', 'billing']));
    expect((await tripoint(['apply', path])).output).toMatch(
      /\+ billing: .*\napplied at entry \d+\n$/,
    );
    const again = await tripoint(['apply', path, '--json']);
    expect(JSON.parse(again.output)).toMatchObject({ changed: false });
  });

  test('asks before a service is forgotten, and keeps it where nobody answers', async () => {
    const path = file('fewer.yaml', configuration(['checkout', 'search']));
    const alone = await tripoint(['apply', path]);
    expect(alone).toMatchObject({ exitCode: EXIT.usage });
    expect(alone.output).toContain('- billing: billing.example.test is forgotten');
    expect((await tripoint(['apply', path], { typed: 'n' })).exitCode).toBe(EXIT.usage);
    expect((await tripoint(['services'])).output).toContain('billing');
    expect((await tripoint(['apply', path], { typed: 'y' })).exitCode).toBe(EXIT.ok);
    expect((await tripoint(['services'])).output).not.toContain('billing');
  });

  test('applies nothing of a file with a problem', async () => {
    const path = file('broken.yaml', configuration(['checkout']).replace('us-east-1\n', 'mars\n'));
    expect((await tripoint(['apply', path, '--yes'])).exitCode).toBe(EXIT.error);
    expect((await tripoint(['services'])).output).toContain('search');
  });
});

describe('who may ask', () => {
  test('a command without a token, or with a wrong one, exits with 4', async () => {
    const words = ['note', 'checkout', 'x', '--endpoint', api.url, '--dir', api.dir];
    expect((await invoke(words)).exitCode).toBe(EXIT.unauthorised);
    const wrong = await invoke(words, { variables: { TRIPOINT_TOKEN: 'wrong' } });
    expect(wrong.exitCode).toBe(EXIT.unauthorised);
    expect(wrong.messages).toContain('token-wrong');
  });

  test('errors are one JSON document with --json', async () => {
    const { output } = await invoke([
      'note',
      'checkout',
      'x',
      '--endpoint',
      api.url,
      '--json',
      '--dir',
      api.dir,
    ]);
    expect(JSON.parse(output)).toMatchObject({ error: { code: 'token-missing', status: 401 } });
  });
});

/** The file says `probe: URL`, which stands for a probe too; the fleet of the fixture has none. */
function probesOf(service: string) {
  return ['us-east-1', 'us-west-2'].map((site) =>
    expect.stringMatching(`^~ ${service}.sites.${site}.probes: none → GET http://192.0.2.`),
  );
}
