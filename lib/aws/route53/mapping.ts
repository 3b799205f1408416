/**
 * Between the port's record sets and Route 53's (Developer Guide, "DNS domain name format" and
 * "Supported DNS record types").
 *
 * Names: Route 53 ends them with a dot and writes every character but a-z, 0-9, `-` and `_` as an
 * octal escape, `\052` for `*`. TXT values: quoted strings of at most 255 bytes, `"` and `\`
 * escaped, other bytes octal. A DELETE must repeat what stands, so a TXT that we would write in
 * another way than it was written is not ours to delete: it is `foreign`.
 */
import type { Change as ApiChange, ResourceRecordSet } from '@aws-sdk/client-route-53';
import { canonicalName, isSetId } from '../../recovery/record-set.ts';
import type {
  Change,
  ForeignRecordSet,
  RecordSet,
  RecordType,
} from '../../recovery/switch-port.ts';

const STRING_BYTES_MAX = 255;

export function toApiChange({ action, recordSet }: Change): ApiChange {
  const { name, type, ttlSeconds, values, weighted } = recordSet;
  return {
    Action: action,
    ResourceRecordSet: {
      Name: toApiName(name),
      Type: type,
      ...(weighted === undefined ? {} : { SetIdentifier: weighted.id, Weight: weighted.weight }),
      TTL: ttlSeconds,
      ResourceRecords: values.map((value) => ({
        Value: type === 'TXT' ? toApiText(value) : value,
      })),
    },
  };
}

/** A record set of ours, or the reason why it is not one. */
export function fromApiRecordSet(
  set: ResourceRecordSet,
):
  | { readonly kind: 'ours'; readonly recordSet: RecordSet }
  | { readonly kind: 'foreign'; readonly foreign: ForeignRecordSet } {
  const name = fromApiName(set.Name ?? '');
  const type = set.Type ?? '';
  const foreign = (reason: ForeignRecordSet['reason']) => {
    return { kind: 'foreign', foreign: { name, type, reason } } as const;
  };
  if (!isOurType(type)) {
    return foreign('type');
  }
  if (set.AliasTarget !== undefined) {
    return foreign('alias');
  }
  const routing = routingOf(set);
  if (routing === 'foreign') {
    return foreign('routing-policy');
  }
  const written = (set.ResourceRecords ?? []).map(({ Value = '' }) => Value);
  const values = type === 'TXT' ? written.map(fromApiText) : written;
  const readable = values.filter((value) => value !== null);
  return readable.length < written.length
    ? foreign('encoding')
    : {
        kind: 'ours',
        recordSet: { name, type, ttlSeconds: set.TTL ?? 0, values: readable, ...routing },
      };
}

/**
 * A weight and nothing else is ours to write. A set with a health check is not: its answer changes
 * without us, and `Change` could not put the check back.
 */
function routingOf(set: ResourceRecordSet): Pick<RecordSet, 'weighted'> | 'foreign' {
  const { SetIdentifier: id, Weight: weight, HealthCheckId, TrafficPolicyInstanceId } = set;
  if (HealthCheckId !== undefined || TrafficPolicyInstanceId !== undefined) {
    return 'foreign';
  }
  if (id === undefined) {
    return {};
  }
  // Every other routing policy comes with an identifier, but without a weight.
  return weight === undefined || !isSetId(id) ? 'foreign' : { weighted: { id, weight } };
}

export function toApiName(name: string): string {
  const escaped = Array.from(canonicalName(name), (character) =>
    /[a-z0-9_.-]/.test(character) ? character : octalEscapes(Buffer.from(character)),
  );
  return `${escaped.join('')}.`;
}

export function fromApiName(name: string): string {
  return canonicalName(
    name.replace(/\\([0-7]{3})/g, (_, digits: string) => {
      return String.fromCharCode(Number.parseInt(digits, 8));
    }),
  );
}

/** One TXT value as quoted strings, cut between bytes, never inside an escape. */
export function toApiText(value: string): string {
  const bytes = Buffer.from(value, 'utf8');
  const strings: string[] = [];
  for (let start = 0; start === 0 || start < bytes.length; start += STRING_BYTES_MAX) {
    strings.push(`"${escapeBytes(bytes.subarray(start, start + STRING_BYTES_MAX))}"`);
  }
  return strings.join(' ');
}

/** The text of a TXT value; null when `toApiText` would not write it in exactly this way. */
export function fromApiText(written: string): string | null {
  const bytes: number[] = [];
  for (const [, content = ''] of written.matchAll(/"((?:[^"\\]|\\.)*)"/g)) {
    bytes.push(...unescapeBytes(content));
  }
  const value = Buffer.from(bytes).toString('utf8');
  return toApiText(value) === written ? value : null;
}

function escapeBytes(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) {
    const character = String.fromCharCode(byte);
    text += /["\\]/.test(character)
      ? `\\${character}`
      : /[ -~]/.test(character)
        ? character
        : octalEscapes([byte]);
  }
  return text;
}

function unescapeBytes(content: string): readonly number[] {
  const bytes: number[] = [];
  for (const [token] of content.matchAll(/\\[0-7]{3}|\\.|[^\\]/gs)) {
    const isOctal = token.length === 4;
    bytes.push(
      ...(isOctal ? [Number.parseInt(token.slice(1), 8) & 0xff] : Buffer.from(token.at(-1) ?? '')),
    );
  }
  return bytes;
}

function octalEscapes(bytes: Iterable<number>): string {
  return Array.from(bytes, (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('');
}

function isOurType(type: string): type is RecordType {
  return type === 'A' || type === 'AAAA' || type === 'CNAME' || type === 'TXT';
}
