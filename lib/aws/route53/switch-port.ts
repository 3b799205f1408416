/**
 * The switch port over Route 53: one ChangeResourceRecordSets request is one atomic batch.
 *
 * ListResourceRecordSets returns the newest version of each record, also while a change is PENDING,
 * so what is read is what a batch will be held against. The listing is sorted by name with its
 * labels reversed; starting at a name and stopping at the next one reads that name alone, however
 * large the zone. (API reference: ChangeResourceRecordSets, ListResourceRecordSets, GetChange.)
 */
import {
  ChangeResourceRecordSetsCommand,
  GetChangeCommand,
  ListResourceRecordSetsCommand,
  type ListResourceRecordSetsCommandOutput,
  type ResourceRecordSet,
} from '@aws-sdk/client-route-53';
import { describeError } from '../../base/errors.ts';
import { canonicalName } from '../../recovery/record-set.ts';
import { checkBatch } from '../../recovery/switch-batch.ts';
import type {
  Change,
  ChangeOutcome,
  ChangeStatus,
  ForeignRecordSet,
  ReadOutcome,
  RecordSet,
  SwitchPort,
} from '../../recovery/switch-port.ts';
import type { ChangeClient } from './client.ts';
import { classifyFailure } from './errors.ts';
import { fromApiName, fromApiRecordSet, toApiChange, toApiName } from './mapping.ts';

export interface Route53SwitchOptions {
  readonly client: ChangeClient;
  /** With or without `/hostedzone/` before it. */
  readonly hostedZoneId: string;
}

/** Route 53's own limit is 300; a name rarely has more than a handful of record sets. */
const PAGE_ITEMS = 100;
/** A name can hold a hundred weighted sets of each type; more pages than this is not a plan. */
const PAGES_PER_NAME_MAX = 20;
const COMMENT_CHARACTERS_MAX = 256;

export function route53SwitchPort(options: Route53SwitchOptions): SwitchPort {
  return {
    calls: {
      read: 'route53:ListResourceRecordSets',
      change: 'route53:ChangeResourceRecordSets',
      status: 'route53:GetChange',
    },
    read: (names) => readNames(options, names),
    change: (batch, comment) => change(options, batch, comment),
    changeStatus: (changeId) => changeStatus(options, changeId),
  };
}

async function readNames(
  options: Route53SwitchOptions,
  names: readonly string[],
): Promise<ReadOutcome> {
  const recordSets: RecordSet[] = [];
  const foreign: ForeignRecordSet[] = [];
  try {
    for (const name of names) {
      for (const set of await listName(options, name)) {
        const mapped = fromApiRecordSet(set);
        if (mapped.kind === 'ours') {
          recordSets.push(mapped.recordSet);
        } else {
          foreign.push(mapped.foreign);
        }
      }
    }
  } catch (thrown) {
    const failure = classifyFailure(thrown);
    return failure.kind === 'refused' ? failure : { kind: 'unknown', cause: describeError(thrown) };
  }
  return { kind: 'read', recordSets, foreign };
}

/** All record sets at exactly this name. */
async function listName(
  { client, hostedZoneId }: Route53SwitchOptions,
  name: string,
): Promise<readonly ResourceRecordSet[]> {
  const wanted = canonicalName(name);
  const found: ResourceRecordSet[] = [];
  let position: Pick<
    ListResourceRecordSetsCommandOutput,
    'NextRecordName' | 'NextRecordType' | 'NextRecordIdentifier'
  > = { NextRecordName: toApiName(name) };
  for (let page = 0; page < PAGES_PER_NAME_MAX; page += 1) {
    const listing: ListResourceRecordSetsCommandOutput = await client.send(
      new ListResourceRecordSetsCommand({
        HostedZoneId: hostedZoneId,
        StartRecordName: position.NextRecordName,
        StartRecordType: position.NextRecordType,
        StartRecordIdentifier: position.NextRecordIdentifier,
        MaxItems: PAGE_ITEMS,
      }),
    );
    const sets = listing.ResourceRecordSets ?? [];
    const atName = sets.filter((set) => fromApiName(set.Name ?? '') === wanted);
    found.push(...atName);
    const next = listing.NextRecordName;
    if (listing.IsTruncated !== true || next === undefined || fromApiName(next) !== wanted) {
      return found;
    }
    position = listing;
  }
  throw new Error(`more than ${PAGES_PER_NAME_MAX * PAGE_ITEMS} record sets stand at ${name}`);
}

async function change(
  { client, hostedZoneId }: Route53SwitchOptions,
  batch: readonly Change[],
  comment: string,
): Promise<ChangeOutcome> {
  const check = checkBatch(batch);
  if (check.kind === 'refused') {
    return check;
  }
  try {
    const { ChangeInfo } = await client.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId: hostedZoneId,
        ChangeBatch: {
          Comment: comment.slice(0, COMMENT_CHARACTERS_MAX),
          Changes: batch.map(toApiChange),
        },
      }),
    );
    return ChangeInfo?.Id === undefined
      ? { kind: 'unknown', cause: 'Route 53 answered without a change id' }
      : { kind: 'applied', changeId: ChangeInfo.Id };
  } catch (thrown) {
    return classifyFailure(thrown);
  }
}

async function changeStatus(
  { client }: Route53SwitchOptions,
  changeId: string,
): Promise<ChangeStatus> {
  try {
    const { ChangeInfo } = await client.send(new GetChangeCommand({ Id: changeId }));
    switch (ChangeInfo?.Status) {
      case 'INSYNC':
        return { kind: 'in-sync' };
      case 'PENDING':
        return { kind: 'pending' };
      default:
        return { kind: 'unknown', cause: `Route 53 reports the status ${ChangeInfo?.Status}` };
    }
  } catch (thrown) {
    return { kind: 'unknown', cause: describeError(thrown) };
  }
}
