/**
 * The bridge between a file and the rules of `relations.ts`: drafts out of a file that may be wrong
 * in places, and findings back to where they stand in it.
 */
import { FIELD_SCHEMAS } from './file-schema.ts';
import type { Finding, Path } from './problem.ts';
import { FIELD_PATHS, type Finding as RelationFinding, type ServiceDraft } from './relations.ts';
import { entriesOf, isMapping, valueAt } from './tree.ts';

/** What can be read of a service although other parts of it are not valid. */
export function draftOf(service: string, body: unknown): ServiceDraft {
  const read = <Output>(schema: Reader<Output>, path: Path): Output | undefined => {
    const parsed = schema.safeParse(valueAt(body, path));
    return parsed.success ? parsed.data : undefined;
  };
  const intervalMs = read(FIELD_SCHEMAS.interval, ['detection', 'interval']);
  const hasSilence = valueAt(body, ['detection', 'maxSilence']) !== undefined;
  const sites = valueAt(body, ['sites']);
  return {
    service,
    dnsName: read(FIELD_SCHEMAS.dnsName, ['dns', 'name']),
    recordType: read(FIELD_SCHEMAS.recordType, ['dns', 'type']),
    primary: read(FIELD_SCHEMAS.primary, ['primary']),
    intervalMs,
    silenceMsMax: hasSilence
      ? read(FIELD_SCHEMAS.maxSilence, ['detection', 'maxSilence'])
      : undefined,
    suspectPhi: read(FIELD_SCHEMAS.suspectPhi, ['detection', 'suspectPhi']),
    failPhi: read(FIELD_SCHEMAS.failPhi, ['detection', 'failPhi']),
    sites: isMapping(sites)
      ? entriesOf(sites).map(([site]) => ({
          site,
          address: read(FIELD_SCHEMAS.address, ['sites', site, 'address']),
        }))
      : undefined,
  };
}

interface Reader<Output> {
  readonly safeParse: (value: unknown) => { success: true; data: Output } | { success: false };
}

/** The finding with its path in the file instead of its place in the list of drafts. */
export function inFile(finding: RelationFinding, drafts: readonly ServiceDraft[]): Finding {
  const { service, field, site, message, fix } = finding;
  const draft = service === null ? undefined : drafts[service];
  const own = draft === undefined ? [] : [draft.service, ...FIELD_PATHS[field].file];
  const siteName = site === null ? undefined : draft?.sites?.[site.position]?.site;
  const inSite = siteName === undefined ? [] : [siteName, 'address'];
  return { path: ['services', ...own, ...inSite], atKey: false, message, fix };
}
