import { describe, expect, it } from 'vitest';
import { presentService, presentStatus } from '../../../lib/api/present.ts';
import { rfc3339 } from '../../../lib/api/present-parts.ts';
import { statusSchema } from '../../../lib/api/schemas.ts';
import { epochMillis } from '../../../lib/base/identifiers.ts';
import type { StatusView } from '../../../lib/control/control-plane.ts';
import { createApiFixture } from '../../support/control-plane-fixture.ts';

const ABOUT = { mode: 'local', version: '1' } as const;

async function viewOf(change: (view: StatusView) => StatusView): Promise<StatusView> {
  const api = await createApiFixture();
  await api.beat('us-east-1');
  await api.clock.advance(1000);
  return change(api.plane.status());
}

describe('presentStatus', () => {
  it('writes numbers that JSON cannot hold as numbers that it can', async () => {
    const odd = { phi: Number.POSITIVE_INFINITY, silentMs: -3, failAt: epochMillis(1e300) };
    const view = await viewOf((plain) => ({
      ...plain,
      observations: plain.observations.map((observation) => ({ ...observation, ...odd })),
    }));
    const status = statusSchema.parse(JSON.parse(JSON.stringify(presentStatus(view, ABOUT))));
    expect(status.services[0]?.sites[0]?.observation).toMatchObject({
      phi: 300,
      silentMs: 0,
      failAt: null,
    });
  });

  it('shows a service whose name every object has, and no other by that name', async () => {
    const view = await viewOf((plain) => plain);
    expect(presentService(view, 'constructor')).toBeNull();
    const checkout = view.state.services['checkout'];
    const services = Object.fromEntries(checkout === undefined ? [] : [['constructor', checkout]]);
    const renamed: StatusView = { ...view, state: { ...view.state, services } };
    expect(presentService(renamed, 'constructor')?.dnsName).toBe('checkout.example.test');
  });

  it('marks the registers that do not answer', async () => {
    const view = await viewOf((plain) => ({
      ...plain,
      position: { ...plain.position, reachable: [plain.region] },
    }));
    const { members } = presentStatus(view, ABOUT).consensus;
    expect(members.map(({ reachable }) => reachable)).toEqual([true, false, false]);
  });
});

describe('rfc3339', () => {
  it('writes instants in UTC with milliseconds', () => {
    expect(rfc3339(epochMillis(Date.UTC(2026, 10, 23, 9, 40, 7, 5)))).toBe(
      '2026-11-23T09:40:07.005Z',
    );
  });
});
