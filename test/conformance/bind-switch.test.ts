/** The switch port over RFC 2136, held against a real BIND 9. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Rfc2136SwitchOptions, rfc2136SwitchPort } from '../../lib/aws/rfc2136/switch-port.ts';
import { authoritativeResolver } from '../../lib/aws/route53/resolver.ts';
import { logIndex, term } from '../../lib/base/identifiers.ts';
import { fenceName } from '../../lib/recovery/fence.ts';
import { switchOnce } from '../../lib/recovery/switch-once.ts';
import { planSwitch, type SwitchIntent } from '../../lib/recovery/switch-plan.ts';
import type {
  Change,
  ChangeOutcome,
  RecordSet,
  SwitchPort,
} from '../../lib/recovery/switch-port.ts';
import { lateWorkerContract } from '../contract/late-worker-contract.ts';
import { type SwitchPortHarness, switchPortContract } from '../contract/switch-port-contract.ts';
import { startLateWorker } from '../support/late-worker.ts';
import { startUpdateProxy, type UpdateProxy } from '../support/update-proxy.ts';
import { type BindServer, startBind } from './bind-server.ts';

const ORIGIN = 'example.test';
const NAME = 'checkout.example.test';
const FENCE = fenceName(NAME);
const POLICY = ['grant KEY zonesub A AAAA CNAME TXT'];

switchPortContract('RFC 2136 (BIND 9)', async (): Promise<SwitchPortHarness> => {
  const bind = await startBind({ origin: ORIGIN, algorithm: 'hmac-sha256', policy: POLICY });
  const proxy = await startUpdateProxy(() => bind.port);
  return {
    port: rfc2136SwitchPort(optionsFor(bind, proxy.port)),
    origin: ORIGIN,
    resolve: authoritativeResolver({
      nameServers: [`127.0.0.1:${bind.port}`],
      timeoutMs: 2000,
      tries: 2,
    }),
    loseNextReply: () => proxy.loseNextAnswer(),
    makeBusy: async () => {
      await proxy.shut();
      return proxy.open;
    },
    settle: () => undefined,
    close: async () => {
      await proxy.close();
      await bind.close();
    },
  };
});

lateWorkerContract('RFC 2136 (BIND 9)', async () => {
  const bind = await startBind({ origin: ORIGIN, algorithm: 'hmac-sha256', policy: POLICY });
  const { name: keyName, algorithm, secret: bytes } = bind.key;
  const secret = Buffer.from(bytes).toString('base64');
  const place = {
    kind: 'rfc2136',
    port: bind.port,
    zone: ORIGIN,
    keyName,
    algorithm,
    secret,
  } as const;
  return {
    port: rfc2136SwitchPort(optionsFor(bind, bind.port)),
    freeze: (intent) => startLateWorker({ place, intent }),
    close: bind.close,
  };
});

lateWorkerContract('RFC 2136 (BIND 9), the update held back in the network', async () => {
  const bind = await startBind({ origin: ORIGIN, algorithm: 'hmac-sha256', policy: POLICY });
  const proxy = await startUpdateProxy(() => bind.port);
  return {
    port: rfc2136SwitchPort(optionsFor(bind, bind.port)),
    freeze: async (intent) => {
      const held = proxy.holdNextUpdate();
      const slow = rfc2136SwitchPort({ ...optionsFor(bind, proxy.port), requestTimeoutMs: 30_000 });
      let first: ChangeOutcome = { kind: 'unknown', cause: 'not tried' };
      const keeping: SwitchPort = {
        ...slow,
        change: async (batch, comment) => {
          first = await slow.change(batch, comment);
          return first;
        },
      };
      const switching = run(keeping, intent);
      await held.reached;
      return {
        wake: async () => {
          held.release();
          return { outcome: await switching, first };
        },
      };
    },
    close: async () => {
      await proxy.close();
      await bind.close();
    },
  };
});

function optionsFor(bind: BindServer, port: number): Rfc2136SwitchOptions {
  return {
    server: { host: '127.0.0.1', port },
    zone: ORIGIN,
    key: bind.key,
    nameServers: [{ host: '127.0.0.1', port: bind.port }],
    wallSeconds: () => Math.floor(Date.now() / 1000),
    connectionTimeoutMs: 1000,
    requestTimeoutMs: 5000,
  };
}

describe('a change that BIND gets', () => {
  let bind: BindServer;
  let proxy: UpdateProxy;
  beforeAll(async () => {
    bind = await startBind({
      origin: ORIGIN,
      algorithm: 'hmac-sha512',
      policy: [
        'grant KEY name checkout.example.test A',
        'grant KEY name mail.example.test CNAME',
        `grant KEY name ${FENCE} TXT`,
      ],
    });
    proxy = await startUpdateProxy(() => bind.port);
  });
  afterAll(async () => {
    await proxy.close();
    await bind.close();
  });
  const port = (changes: Partial<Rfc2136SwitchOptions> = {}) =>
    rfc2136SwitchPort({ ...optionsFor(bind, proxy.port), ...changes });

  test('of the very names that the policy of the key allows is made, of others refused', async () => {
    expect(await run(port(), intentAt(1))).toMatchObject({ kind: 'done' });
    const other = create({ ...address('192.0.2.1'), name: 'other.example.test' });
    expect(await port().change(other, '')).toMatchObject({
      kind: 'refused',
      code: 'access-denied',
    });
  });

  test('is there, whole, after a kill -9 between the update and its answer', async () => {
    const killed = Promise.withResolvers<void>();
    proxy.loseNextAnswer(() => {
      bind.kill();
      killed.resolve();
    });
    const outcome = await port().change(replaceAll(intentAt(1), intentAt(2)), '');
    await killed.promise;
    expect(outcome.kind).toBe('unknown');
    expect(await port().read([NAME])).toMatchObject({ kind: 'unknown' });
    await bind.start();
    // The journal is written before the answer, so the same switch finds its own fence.
    expect(await run(port(), intentAt(2))).toEqual({ kind: 'done', changeId: null, batch: [] });
  });

  test('is not there after a kill -9 before the update came, and is made by a repeat', async () => {
    const held = proxy.holdNextUpdate();
    const changing = port().change(replaceAll(intentAt(2), intentAt(3)), '');
    await held.reached;
    bind.kill();
    held.release();
    expect((await changing).kind).toBe('unknown');
    await bind.start();
    const outcome = await run(port(), intentAt(3));
    expect(outcome).toMatchObject({ kind: 'done', batch: [{}, {}, {}, {}] });
  });

  test('may not put an alias over an MX, which stays and is told of', async () => {
    const alias: RecordSet = {
      name: 'mail.example.test',
      type: 'CNAME',
      ttlSeconds: 5,
      values: ['lb.example.net'],
    };
    expect(await port().change(create(alias), '')).toMatchObject({ kind: 'conflict' });
    expect(await port().read(['mail.example.test'])).toEqual({
      kind: 'read',
      recordSets: [],
      foreign: [{ name: 'mail.example.test', type: 'MX', reason: 'type' }],
    });
  });

  test('that was signed at another time is refused for that reason, by an answer that is signed', async () => {
    const late = port({ wallSeconds: () => Math.floor(Date.now() / 1000) - 3600 });
    expect(await late.read([NAME])).toMatchObject({ kind: 'refused', code: 'tsig-bad-time' });
  });

  test('of an unknown key, or with a wrong secret, is refused before anything is sent', async () => {
    const stranger = port({ key: { ...bind.key, name: 'nobody' } });
    const wrong = port({ key: { ...bind.key, secret: new Uint8Array(64) } });
    expect(await stranger.read([NAME])).toMatchObject({ code: 'tsig-bad-key' });
    expect(await wrong.read([NAME])).toMatchObject({ code: 'tsig-bad-signature' });
    // After an update was sent the same word counts for nothing: it is not signed.
    expect(await stranger.change(create(address('192.0.2.9')), '')).toMatchObject({
      kind: 'unknown',
    });
  });

  test('with nothing but another TTL in the zone conflicts, though the prerequisites would hold', async () => {
    const stands = { ...address('192.0.2.3'), ttlSeconds: 6 };
    const batch = [
      { action: 'DELETE', recordSet: stands } as const,
      ...create(address('192.0.2.4')),
    ];
    expect(await port().change(batch, '')).toMatchObject({ kind: 'conflict' });
  });
});

function intentAt(index: number): SwitchIntent {
  return {
    dnsName: NAME,
    recordType: 'A',
    ttlSeconds: 5,
    targets: [{ site: 'us-east-1', address: `192.0.2.${index}`, weight: 100 }],
    epoch: { term: term(1), index: logIndex(index) },
    run: `checkout-${index}`,
  };
}

/** What a worker would send that read the one and wants the other. */
function replaceAll(old: SwitchIntent, next: SwitchIntent): readonly Change[] {
  const standing = planSwitch(old, { recordSets: [], foreign: [] });
  const recordSets =
    standing.kind === 'change' ? standing.batch.map(({ recordSet }) => recordSet) : [];
  const plan = planSwitch(next, { recordSets, foreign: [] });
  return plan.kind === 'change' ? plan.batch : [];
}

function run(port: SwitchPort, intent: SwitchIntent) {
  return switchOnce(port, intent, { clock: { sleep: async () => undefined }, random: () => 0 });
}

function address(value: string): RecordSet {
  return { name: NAME, type: 'A', ttlSeconds: 5, values: [value] };
}

function create(recordSet: RecordSet): readonly Change[] {
  return [{ action: 'CREATE', recordSet }];
}
