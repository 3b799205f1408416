import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createLayout,
  type Layout,
  logFileOf,
  shiftPort,
  siteProcess,
} from '../../../lib/local/local-layout.ts';

function portsOf({ supervisor, regions, dns }: Layout): readonly number[] {
  return [
    supervisor.port,
    ...regions.flatMap(({ apiPort, databasePort }) => [apiPort, databasePort]),
    dns.port,
    dns.controlPort,
  ];
}

describe('the layout of local mode', () => {
  it('puts the regions, DNS and the supervisor where the documents say', () => {
    const layout = createLayout({ dir: '.tripoint', portBase: 7100 });
    expect(layout.supervisor.url).toBe('http://127.0.0.1:7100');
    expect(
      layout.regions.map(({ region, apiUrl, databaseUrl }) => [region, apiUrl, databaseUrl]),
    ).toEqual([
      ['us-east-1', 'http://127.0.0.1:7101', 'http://127.0.0.1:7111'],
      ['us-east-2', 'http://127.0.0.1:7102', 'http://127.0.0.1:7112'],
      ['us-west-2', 'http://127.0.0.1:7103', 'http://127.0.0.1:7113'],
    ]);
    expect(layout.dns).toMatchObject({ host: '127.0.0.1', port: 7153, controlPort: 7154 });
    expect(layout.dir).toBe(resolve('.tripoint'));
    expect(logFileOf(layout, 'dns')).toBe(resolve('.tripoint/logs/dns.log'));
  });

  it('uses each port once, all of them valid, for any base', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1024, max: 64_000 }), (portBase) => {
        const layout = createLayout({ dir: '/somewhere', portBase });
        const ports = [...portsOf(layout), shiftPort(8101, layout)];
        expect(new Set(ports).size).toBe(ports.length);
        expect(ports.every((port) => port >= 1024 && port <= 65_535)).toBe(true);
      }),
      { seed: 20_261_123 },
    );
  });

  it.each([0, 80, 1023, 64_001, 7100.5, Number.NaN])('refuses %d as the first port', (portBase) => {
    expect(() => createLayout({ dir: 'x', portBase })).toThrow(
      expect.objectContaining({
        code: 'port-base-invalid',
        hint: expect.stringContaining('--port-base'),
      }),
    );
  });

  it('moves the ports of the configuration along with the base', () => {
    expect(shiftPort(8101, createLayout({ dir: 'x', portBase: 7100 }))).toBe(8101);
    expect(shiftPort(8101, createLayout({ dir: 'x', portBase: 17_300 }))).toBe(18_301);
  });

  it('names the process of a site after service and site', () => {
    expect(siteProcess('checkout', 'us-east-1')).toBe('checkout@us-east-1');
  });
});
