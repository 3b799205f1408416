import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadLocalConfiguration } from '../../../lib/local/local-configuration.ts';
import { createLayout } from '../../../lib/local/local-layout.ts';
import { LOCAL_DEFAULTS } from '../../../lib/local/run-local.ts';
import { sha256 } from '../../../lib/local/system-clock.ts';
import { probeTarget } from '../../../lib/recovery/probe-policy.ts';
import { clusterRecord } from './fixtures/cluster-record.ts';

const DEMO = readFileSync(LOCAL_DEFAULTS.configFile, 'utf8');
let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tripoint-config-'));
  file = join(dir, 'config.yaml');
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

interface Loading {
  readonly text?: string;
  readonly portBase?: number;
  readonly record?: ReturnType<typeof clusterRecord>;
  readonly variables?: Readonly<Record<string, string>>;
}

function load({ text = DEMO, portBase = 7100, record = clusterRecord(), variables = {} }: Loading) {
  writeFileSync(file, text);
  return loadLocalConfiguration({
    file,
    layout: createLayout({ dir, portBase }),
    record,
    variables,
  });
}

describe('the configuration of local mode', () => {
  it('takes the demo as it is shipped, with both sites played here', async () => {
    const { policies, sites } = await load({});
    expect(policies.map(({ service, primary }) => [service, primary])).toEqual([
      ['checkout', 'us-east-1'],
    ]);
    expect(sites.map(({ name, url, intervalMs }) => [name, url, intervalMs])).toEqual([
      ['checkout@us-east-1', 'http://127.0.0.11:8101', 1000],
      ['checkout@us-west-2', 'http://127.0.0.12:8101', 1000],
    ]);
  });

  it('makes a token for each variable and puts only its hash into the policy', async () => {
    const { policies, sites, record } = await load({});
    expect(Object.keys(record.tokens)).toEqual([
      'CHECKOUT_US_EAST_1_TOKEN',
      'CHECKOUT_US_WEST_2_TOKEN',
    ]);
    const [east] = sites;
    expect(east?.token).toBe(record.tokens['CHECKOUT_US_EAST_1_TOKEN']);
    expect(policies[0]?.sites[0]?.tokenHashes).toEqual([sha256(east?.token ?? '')]);
    expect(JSON.stringify(policies)).not.toContain(east?.token);
  });

  it('keeps the tokens that it made before, so that the hash of the policies stays', async () => {
    const first = await load({});
    const second = await load({ record: first.record });
    expect(second.record).toEqual(first.record);
    expect(second.hash).toBe(first.hash);
  });

  it('prefers a token that the environment sets', async () => {
    const token = 'a-token-from-the-environment';
    const { sites } = await load({ variables: { CHECKOUT_US_EAST_1_TOKEN: token } });
    expect(sites[0]?.token).toBe(token);
  });

  it('moves the ports on loopback along with the first port, and no others', async () => {
    const text = DEMO.replace(
      'http://127.0.0.12:8101/healthz',
      'https://west.example.com:8101/healthz',
    ).replace(
      '127.0.0.11:8101/healthz\n',
      "$&        probes: [{ url: 'tcp://127.0.0.11:8101' }, { url: 'tcp://127.0.0.11:5432' }]\n",
    );
    const { policies, sites } = await load({ text, portBase: 17_300 });
    expect(policies[0]?.sites.map(({ probeUrl }) => probeUrl)).toEqual([
      'http://127.0.0.11:18301/healthz',
      'https://west.example.com:8101/healthz',
    ]);
    expect(sites.map(({ port }) => port)).toEqual([18_301]);
    expect(policies[0]?.sites.flatMap(({ probes }) => probes.map(probeTarget))).toEqual([
      'GET http://127.0.0.11:18301/healthz',
      'tcp 127.0.0.11:18301',
      'tcp 127.0.0.11:5432',
      'GET https://west.example.com:8101/healthz',
    ]);
  });

  it('plays no site whose token only its hash is known of', async () => {
    const text = DEMO.replace(/['"].{2}CHECKOUT_US_WEST_2_TOKEN.['"]/, `sha256:${'0'.repeat(64)}`);
    const { sites } = await load({ text });
    expect(sites.map(({ name }) => name)).toEqual(['checkout@us-east-1']);
  });

  it('lists every problem of the file, with its line', async () => {
    const text = DEMO.replace('primary: us-east-1', 'primary: nowhere').replace(
      'ttl: 1s',
      'ttl: soon',
    );
    await expect(load({ text })).rejects.toMatchObject({
      code: 'config-invalid',
      message: expect.stringMatching(
        /config\.yaml:\d+:\d+ .*ttl[\s\S]*config\.yaml:\d+:\d+ .*primary/,
      ),
    });
  });

  it('says which file it cannot read', async () => {
    const options = { layout: createLayout({ dir, portBase: 7100 }), record: clusterRecord() };
    await expect(
      loadLocalConfiguration({ ...options, file: join(dir, 'none.yaml'), variables: {} }),
    ).rejects.toMatchObject({
      code: 'config-unreadable',
      hint: expect.stringContaining('--config'),
    });
  });
});
