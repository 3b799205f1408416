/** The commands about runs and rules as typed calls, over the client that knows all regions. */
import type { OverrideRule } from '../recovery/overrides.ts';
import type { ApiClient, CommandAnswer } from './client.ts';

interface Words {
  /** Why, for the record. */
  readonly reason: string;
  /** Who, for the record. */
  readonly by?: string;
  readonly dryRun?: boolean;
}

type Sender = Pick<ApiClient, 'send'>;

export function setWeights(
  { send }: Sender,
  { service, ...body }: Words & { readonly service: string; readonly weights: Weights },
  key?: string,
): Promise<CommandAnswer> {
  return send({ method: 'PUT', path: pathOf(service, 'weights'), body }, key);
}

export interface Weights {
  readonly [site: string]: number;
}

export function acknowledge(
  { send }: Sender,
  { service, ...body }: Words & { readonly service: string },
  key?: string,
): Promise<CommandAnswer> {
  return send({ method: 'POST', path: pathOf(service, 'acknowledgement'), body }, key);
}

/** @param service null = all of them. */
export function freeze(
  { send }: Sender,
  { service, ...body }: Words & { readonly service: string | null; readonly forMs: number },
  key?: string,
): Promise<CommandAnswer> {
  return send({ method: 'POST', path: freezePath(service), body }, key);
}

export function unfreeze(
  { send }: Sender,
  { service, ...words }: EndWords & { readonly service: string | null },
  key?: string,
): Promise<CommandAnswer> {
  return send({ method: 'DELETE', path: `${freezePath(service)}?${queryOf(words)}` }, key);
}

type EndWords = Omit<Words, 'dryRun'>;

interface OfRule {
  readonly service: string;
  readonly rule: OverrideRule;
}

export function startOverride(
  { send }: Sender,
  { service, rule, ...body }: Words & OfRule & { readonly forMs: number },
  key?: string,
): Promise<CommandAnswer> {
  return send({ method: 'POST', path: pathOf(service, `overrides/${rule}`), body }, key);
}

export function endOverride(
  { send }: Sender,
  { service, rule, ...words }: EndWords & OfRule,
  key?: string,
): Promise<CommandAnswer> {
  const path = `${pathOf(service, `overrides/${rule}`)}?${queryOf(words)}`;
  return send({ method: 'DELETE', path }, key);
}

export function settleApproval(
  { send }: Sender,
  asked: Words & {
    readonly run: string;
    readonly step: string;
    readonly verdict: 'approve' | 'reject';
  },
  key?: string,
): Promise<CommandAnswer> {
  const { run, ...body } = asked;
  return send({ method: 'POST', path: `/v1/runs/${encodeURIComponent(run)}/approval`, body }, key);
}

export function cancelRun(
  { send }: Sender,
  { run, ...body }: Words & { readonly run: string },
  key?: string,
): Promise<CommandAnswer> {
  const path = `/v1/runs/${encodeURIComponent(run)}/cancellation`;
  return send({ method: 'POST', path, body }, key);
}

function pathOf(service: string, action: string): string {
  return `/v1/services/${encodeURIComponent(service)}/${action}`;
}

function freezePath(service: string | null): string {
  return service === null ? '/v1/freeze' : pathOf(service, 'freeze');
}

function queryOf({ reason, by }: EndWords): string {
  return new URLSearchParams({ reason, ...(by === undefined ? {} : { by }) }).toString();
}

export interface AlarmJson {
  readonly service: string;
  readonly site: string;
  readonly name: string;
  readonly state: 'alarm' | 'ok' | 'insufficient-data';
}

/** What another monitor says of a site. There is no dry run of it. */
export function raiseAlarm(
  { send }: Sender,
  alarm: AlarmJson,
  key?: string,
): Promise<CommandAnswer> {
  return send({ method: 'POST', path: '/v1/alarms', body: { ...alarm } as object }, key);
}
