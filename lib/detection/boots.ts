/**
 * The starts of a sender: which beats of which start are known.
 *
 * Ids of boots are random and have no order, so a beat of another boot is either a new start or a late
 * copy of an old one, and only memory tells them apart: eight boots are remembered by a hash.
 *
 * Invariant: the newest sequence heard of a boot never falls as long as the boot is remembered, and no
 * boot stands in two places. A hash that two boots share (once in 2^29 starts) costs beats, not harm:
 * the new boot is heard from the old one's last sequence on.
 */
import { FORMER_BOOTS_MAX } from './limits.ts';

/** The newest beat known of one start of the sender. */
export interface Boot {
  readonly bootId: string;
  readonly lastSequence: number;
}

export interface FormerBoot {
  /** FNV-1a, 32 bits. */
  readonly hash: number;
  readonly lastSequence: number;
}

/** The boot in force, and those heard before it: their late beats must not look like another restart. */
export interface BootMemory extends Boot {
  /** Newest first, at most `FORMER_BOOTS_MAX`. */
  readonly formerBoots: readonly FormerBoot[];
}

/** Whether this beat, or a newer one of its boot, was heard already. */
export function isHeard(memory: BootMemory, { bootId, lastSequence }: Boot): boolean {
  if (bootId === memory.bootId) {
    return lastSequence <= memory.lastSequence;
  }
  if (memory.formerBoots.length === 0) {
    return false;
  }
  const hash = hashOfBoot(bootId);
  return memory.formerBoots.some(
    (former) => former.hash === hash && lastSequence <= former.lastSequence,
  );
}

/** The boots before it, once `bootId` is the one in force. */
export function bootsBefore(memory: BootMemory, bootId: string): readonly FormerBoot[] {
  if (bootId === memory.bootId) {
    return memory.formerBoots;
  }
  const returning = hashOfBoot(bootId);
  const others = memory.formerBoots.filter(({ hash }) => hash !== returning);
  const last = { hash: hashOfBoot(memory.bootId), lastSequence: memory.lastSequence };
  return [last, ...others].slice(0, FORMER_BOOTS_MAX);
}

export function hashOfBoot(bootId: string): number {
  let hash = 0x811c9dc5;
  for (let place = 0; place < bootId.length; place += 1) {
    hash = Math.imul(hash ^ bootId.charCodeAt(place), 0x01000193);
  }
  return hash >>> 0;
}
