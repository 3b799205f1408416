import { describe, expect, it } from 'vitest';
import { checkOptions, type HeartbeatOptions } from '../../../lib/agent/heartbeat-options.ts';
import { AppError } from '../../../lib/base/errors.ts';

const good: HeartbeatOptions = {
  service: 'checkout',
  site: 'us-east-1',
  endpoints: ['https://a.test', 'http://127.0.0.1:4101/'],
  token: 'secret-token',
  intervalMs: 1000,
};

function faultOf(options: Partial<HeartbeatOptions>): AppError {
  try {
    checkOptions({ ...good, ...options });
  } catch (thrown) {
    if (thrown instanceof AppError) {
      return thrown;
    }
  }
  throw new Error('the options were taken');
}

describe('checkOptions', () => {
  it('takes good options and fills in the rest', () => {
    const settings = checkOptions(good);
    expect(settings).toMatchObject({
      endpoints: ['https://a.test', 'http://127.0.0.1:4101'],
      requestTimeoutMs: 900,
      leaseMarginMs: 0,
    });
    expect([settings.status(), settings.replicationLagMs()]).toEqual(['ok', null]);
    settings.closeConnections();
  });

  it.each([
    [100, 500],
    [2000, 1800],
    [60_000, 3000],
  ])('at a beat each %i ms lets a request take %i ms', (intervalMs, requestTimeoutMs) => {
    expect(checkOptions({ ...good, intervalMs }).requestTimeoutMs).toBe(requestTimeoutMs);
  });

  it('tells a program without types what it left out', () => {
    const nothing = () => checkOptions(JSON.parse('{"intervalMs":1000}'));
    expect(nothing).toThrow(/service is empty; site is empty; token is not .*; endpoints is empty/);
  });

  it.each<[Partial<HeartbeatOptions>, string]>([
    [{ service: '' }, 'service is empty'],
    [{ site: '' }, 'site is empty'],
    [{ token: '' }, 'token is not'],
    [{ token: 'two\r\nlines' }, 'token is not'],
    [{ endpoints: [] }, 'endpoints is empty'],
    [{ endpoints: Array.from({ length: 8 }, (_, n) => `http://${n}.test`) }, 'more than 7'],
    [{ endpoints: ['http://a.test', 'http://a.test/'] }, 'named twice'],
    [{ endpoints: ['ftp://a.test'] }, 'not a plain http(s) base URL'],
    [{ endpoints: ['a.test'] }, 'not a plain http(s) base URL'],
    [{ endpoints: ['http://user:pass@a.test'] }, 'not a plain http(s) base URL'],
    [{ endpoints: ['http://a.test?x=1'] }, 'not a plain http(s) base URL'],
    [{ intervalMs: 99 }, 'intervalMs is not between 100 and 86400000'],
    [{ intervalMs: Number.NaN }, 'intervalMs is not'],
    [{ leaseMarginMs: -1 }, 'leaseMarginMs is not between 0 and 3600000'],
    [{ requestTimeoutMs: 0 }, 'requestTimeoutMs is not between 50 and 30000'],
  ])('refuses %j', (options, text) => {
    const error = faultOf(options);
    expect(error.code).toBe('heartbeat-options');
    expect(error.message).toContain(text);
  });

  it('lists every fault at once, and never the token', () => {
    const { message } = faultOf({ service: '', token: 'bad token', intervalMs: 0 });
    expect(message.split('; ')).toHaveLength(3);
    expect(message).not.toContain('bad token');
  });
});
