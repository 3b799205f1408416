import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parseDynamicDns, serverText } from '../../../lib/config/switch-settings.ts';

const SECRET = Buffer.alloc(32, 7).toString('base64');
const VALID = {
  TRIPOINT_SWITCH: 'rfc2136',
  TRIPOINT_DNS_SERVER: '192.0.2.53',
  TRIPOINT_DNS_ZONE: 'Example.Test.',
  TRIPOINT_TSIG_KEY_NAME: 'tripoint-key',
  TRIPOINT_TSIG_SECRET: SECRET,
};

describe('the DNS server that the environment names', () => {
  test.each([{}, { TRIPOINT_SWITCH: 'route53' }, { TRIPOINT_SWITCH: 'none' }])(
    'is none with %j',
    (variables) => {
      expect(parseDynamicDns(variables)).toEqual({ settings: null, problems: [] });
    },
  );

  test('comes with its zone in canonical form, port 53, SHA-256 and itself as the name server', () => {
    const { settings, problems } = parseDynamicDns(VALID);
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({
      server: { host: '192.0.2.53', port: 53 },
      zone: 'example.test',
      keyName: 'tripoint-key',
      algorithm: 'hmac-sha256',
      nameServers: [{ host: '192.0.2.53', port: 53 }],
    });
    expect(settings?.secret()).toEqual(new Uint8Array(32).fill(7));
  });

  test('takes ports, IPv6 and secondaries', () => {
    const { settings } = parseDynamicDns({
      ...VALID,
      TRIPOINT_DNS_SERVER: '[2001:db8::53]:5353',
      TRIPOINT_NAME_SERVERS: '192.0.2.1:54, 2001:db8::1',
    });
    expect(settings?.server).toEqual({ host: '2001:db8::53', port: 5353 });
    expect(settings?.nameServers.map(serverText)).toEqual(['192.0.2.1:54', '[2001:db8::1]:53']);
  });

  test('gives its secret to nobody who prints the settings', () => {
    const { settings } = parseDynamicDns(VALID);
    for (const printed of [JSON.stringify(settings), inspect(settings, { depth: 9 })]) {
      expect(printed).not.toContain(SECRET);
      expect(printed).not.toContain('7,7,7');
      expect(printed).not.toContain('7, 7, 7');
    }
  });

  test.each<readonly [string, { readonly [name: string]: string }]>([
    ['TRIPOINT_SWITCH', { TRIPOINT_SWITCH: 'bind' }],
    ['TRIPOINT_DNS_SERVER', { TRIPOINT_DNS_SERVER: 'ns1.example.com' }],
    ['TRIPOINT_DNS_SERVER', { TRIPOINT_DNS_SERVER: '192.0.2.53:0' }],
    ['TRIPOINT_DNS_SERVER', { TRIPOINT_DNS_SERVER: '' }],
    ['TRIPOINT_DNS_ZONE', { TRIPOINT_DNS_ZONE: 'a..b' }],
    ['TRIPOINT_TSIG_KEY_NAME', { TRIPOINT_TSIG_KEY_NAME: '' }],
    ['TRIPOINT_TSIG_ALGORITHM', { TRIPOINT_TSIG_ALGORITHM: 'hmac-md5' }],
    ['TRIPOINT_TSIG_SECRET', { TRIPOINT_TSIG_SECRET: 'c2hvcnQ=' }],
    ['TRIPOINT_TSIG_SECRET', { TRIPOINT_TSIG_SECRET: 'not base64!' }],
    ['TRIPOINT_NAME_SERVERS', { TRIPOINT_NAME_SERVERS: 'ns1' }],
  ])('is refused with the name of what is wrong: %s', (name, change) => {
    const { problems } = parseDynamicDns({ ...VALID, ...change });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(new RegExp(`^${name} `));
    expect(problems.join()).not.toContain(SECRET);
  });
});
