import { describe, expect, it } from 'vitest';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import { createLogger } from '../../../lib/local/logger.ts';
import { sha256 } from '../../../lib/local/system-clock.ts';

const clock = { wallNow: () => epochMillis(Date.UTC(2026, 10, 23, 9, 40, 1, 5)) };

function loggerWith(format: 'json' | 'text', level: 'debug' | 'info' | 'warn' | 'error' = 'info') {
  const lines: string[] = [];
  const write = (line: string) => lines.push(line);
  return { lines, log: createLogger({ source: 'dns', level, format, clock, write }) };
}

describe('the local logger', () => {
  it('writes one JSON document a line, with instant, level, source and event first', () => {
    const { lines, log } = loggerWith('json');
    log('warn', 'zone-changed', { serial: 7, names: ['a', 'b'], absent: undefined });
    expect(lines).toEqual([
      '{"at":"2026-11-23T09:40:01.005Z","level":"warn","source":"dns","event":"zone-changed","serial":7,"names":["a","b"]}\n',
    ]);
  });

  it('writes short lines for a terminal', () => {
    const { lines, log } = loggerWith('text');
    log('info', 'listening', {
      port: 7153,
      host: '127.0.0.1',
      note: 'two words',
      absent: undefined,
    });
    log('error', 'bare');
    expect(lines).toEqual([
      '09:40:01.005 info  dns listening port=7153 host=127.0.0.1 note="two words"\n',
      '09:40:01.005 error dns bare\n',
    ]);
  });

  it('keeps every event on one line, whatever it holds', () => {
    for (const format of ['json', 'text'] as const) {
      const { lines, log } = loggerWith(format);
      log('error', 'crash', { stack: 'first\nsecond' });
      expect(lines.join('').split('\n')).toHaveLength(2);
    }
  });

  it('drops what is below its level', () => {
    const { lines, log } = loggerWith('json', 'warn');
    log('debug', 'a');
    log('info', 'b');
    log('warn', 'c');
    log('error', 'd');
    expect(lines.map((line) => JSON.parse(line).event)).toEqual(['c', 'd']);
  });
});

describe('the hash of the host', () => {
  it('is SHA-256 of the UTF-8 text in lower-case hex', () => {
    // FIPS 180-2, appendix B.1.
    expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
    expect(sha256('φ')).not.toBe(sha256('?'));
  });
});
