import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { API_LIMITS } from '../../../lib/api/limits.ts';
import { beginningOf, PING_ACTION, pingEvent, pingMessage } from '../../../lib/api/ping.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

describe('PING_ACTION', () => {
  it('takes the words of a ping and the exit codes of a process', () => {
    const codes = Array.from({ length: 300 }, (_, code) => String(code));
    expect(codes.filter((code) => PING_ACTION.test(code))).toHaveLength(256);
    expect(
      ['start', 'fail', 'log', '', 'Start', '1e2', '+1', '007'].map((text) =>
        PING_ACTION.test(text),
      ),
    ).toEqual([true, true, true, false, false, false, false, false]);
  });
});

describe('pingEvent', () => {
  it.each([
    ['', { kind: 'success', exitCode: null }],
    ['0', { kind: 'success', exitCode: 0 }],
    ['1', { kind: 'fail', exitCode: 1 }],
    ['fail', { kind: 'fail', exitCode: null }],
    ['start', { kind: 'start', exitCode: null }],
    ['log', { kind: 'log', exitCode: null }],
  ])('reads %j', (action, event) => {
    expect(pingEvent(action, 'words')).toEqual({ ...event, message: 'words' });
  });
});

describe('pingMessage', () => {
  it.each([
    ['disk full\nat line 3', 'disk full'],
    ['\r\n \n  backup of 3 tables  \r\n', 'backup of 3 tables'],
    ['\u001b[31mred\u001b[0m\u0000', '[31mred [0m'],
    ['a\u2028b\u202ec', 'a b c'],
    ['', null],
    [' \n\t\n', null],
  ])('keeps the first line of %j that says something', (body, message) => {
    expect(pingMessage(bytes(body))).toBe(message);
  });

  it('is printable text within its bound, whatever the bytes', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 1000 }), fc.string({ unit: 'binary' }).map(bytes)),
        (body) => {
          const message = pingMessage(body);
          if (message !== null) {
            expect(Buffer.byteLength(message)).toBeLessThanOrEqual(API_LIMITS.pingMessageBytesMax);
            expect(message.isWellFormed()).toBe(true);
            expect(message).not.toMatch(/[\p{Cc}\p{Cf}]/u);
            expect(message).not.toBe('');
          }
        },
      ),
      { seed: 20_261_123, numRuns: 300 },
    );
  });
});

describe('beginningOf', () => {
  it('reads no further than it looks, however long the body goes on', async () => {
    let pulled = 0;
    let isCancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        pulled += 1;
        controller.enqueue(new Uint8Array(4096));
      },
      cancel: () => {
        isCancelled = true;
      },
    });
    expect((await beginningOf(endless)).length).toBe(API_LIMITS.pingBodyBytesMax);
    expect([isCancelled, pulled <= 4]).toEqual([true, true]);
    expect(await beginningOf(null)).toHaveLength(0);
  });
});
