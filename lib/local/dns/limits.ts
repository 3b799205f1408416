/** Upper limits of the embedded DNS server, with the relations between them checked at load. */
import { invariant } from '../../base/invariant.ts';
import { SWITCH_LIMITS } from '../../recovery/switch-limits.ts';

export const DNS_LIMITS = {
  /** Record sets in the zone; the whole zone is rewritten on each change. */
  recordSetsMax: 10_000,
  /** Values of one record set, so that the set fits any answer over TCP. */
  valuesPerRecordSetMax: 100,
  /** Route 53's limit for the text of one TXT record. */
  textBytesMax: 4000,
  /** CNAMEs followed inside the zone before the chain is answered as it is. */
  aliasHopsMax: 8,
  /** What every resolver accepts without EDNS (RFC 1035, section 4.2.1). */
  udpBytesMin: 512,
  /** Largest UDP answer, also when a client offers more: no fragments (DNS flag day 2020). */
  udpBytesMax: 1232,
  tcpBytesMax: 65_535,
  tcpConnectionsMax: 64,
  tcpIdleMs: 10_000,
  /** Tries to find one port that is free for both UDP and TCP. */
  portTriesMax: 20,
  /** One HTTP request of the control plane. */
  requestBytesMax: 262_144,
  requestTimeoutMs: 10_000,
  namesPerReadMax: 100,
  commentCharactersMax: 256,
} as const;

invariant(DNS_LIMITS.udpBytesMin <= DNS_LIMITS.udpBytesMax, 'limits-udp-order');
/**
 * Every answer fits one TCP message: the values of one set (a batch bounds their text), an owner
 * name and header for each, and the CNAMEs on the way, two names each.
 */
invariant(
  SWITCH_LIMITS.valueCharactersPerBatchMax +
    DNS_LIMITS.valuesPerRecordSetMax * 270 +
    (DNS_LIMITS.aliasHopsMax + 1) * 530 <
    DNS_LIMITS.tcpBytesMax,
  'limits-answer-too-large-for-tcp',
);
/** A value costs at most its text plus JSON's escapes (six characters for one). */
invariant(
  DNS_LIMITS.requestBytesMax > 6 * SWITCH_LIMITS.valueCharactersPerBatchMax,
  'limits-request-too-small-for-a-batch',
);
