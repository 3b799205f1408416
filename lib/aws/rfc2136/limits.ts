/** Upper limits of the talk with a name server, with the relations between them checked at load. */
import { invariant } from '../../base/invariant.ts';
import { SWITCH_LIMITS } from '../../recovery/switch-limits.ts';

export const RFC2136_LIMITS: {
  readonly messageBytesMax: number;
  readonly inFlightMax: number;
  readonly textBytesMax: number;
} = {
  /** The length before a message on TCP is two bytes; some of it is the signature's. */
  messageBytesMax: 65_000,
  /** Questions sent on one connection before the first is answered. */
  inFlightMax: 32,
  /** A TXT with its length bytes must fit into the length of one record's data. */
  textBytesMax: 4000,
};

invariant(
  RFC2136_LIMITS.textBytesMax < RFC2136_LIMITS.messageBytesMax,
  'limits-text-larger-than-message',
);
invariant(
  SWITCH_LIMITS.valueCharactersPerBatchMax < RFC2136_LIMITS.messageBytesMax,
  'limits-batch-larger-than-message',
);
