/** What every readiness port must keep, whatever provider it asks. */
import { describe, expect, test } from 'vitest';
import type { ReadinessPort } from '../../lib/control/readiness-port.ts';
import type { ServicePolicy } from '../../lib/recovery/policy.ts';
import { READINESS_CODES } from '../../lib/recovery/readiness.ts';

export interface ReadinessWorld {
  readonly port: ReadinessPort;
  /** A policy that names something of every kind that this port looks at. */
  readonly policy: ServicePolicy;
  /** How often it was asked for anything but a look. */
  readonly changes: () => number;
}

export function readinessPortContract(
  name: string,
  world: (provider: 'sound' | 'silent' | 'empty') => ReadinessWorld,
): void {
  describe(`readiness port: ${name}`, () => {
    test('finds nothing where everything is there', async () => {
      const { port, policy } = world('sound');
      expect(await port.check(policy)).toEqual([]);
    });

    test('never calls anything failing because an answer was lost', async () => {
      const { port, policy } = world('silent');
      const found = await port.check(policy);
      expect(found.length).toBeGreaterThan(0);
      expect(found.filter(({ severity }) => severity === 'failing')).toEqual([]);
    });

    test('names what is missing, and what to do about it, by known codes', async () => {
      const { port, policy } = world('empty');
      const found = await port.check(policy);
      expect(found.length).toBeGreaterThan(0);
      for (const { code, severity, subject, sentence, fix } of found) {
        expect(READINESS_CODES).toContain(code);
        expect(severity).toBe('failing');
        expect(Math.min(subject.length, sentence.length, fix.length)).toBeGreaterThan(3);
      }
    });

    test.each(['sound', 'silent', 'empty'] as const)('changes nothing (%s)', async (provider) => {
      const { port, policy, changes } = world(provider);
      await port.check(policy);
      expect(changes()).toBe(0);
    });
  });
}
