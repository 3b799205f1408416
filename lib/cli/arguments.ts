/** Arguments and option values that need more than a look: numbers, durations, texts. */
import { userInfo } from 'node:os';
import { InvalidArgumentError } from 'commander';
import { type RegionId, regionId } from '../base/identifiers.ts';
import { formatDuration, parseDuration } from '../config/duration.ts';
import { NAME_PATTERN } from '../config/schema.ts';
import { printable } from './render/style.ts';

const ACTOR_CHARACTERS_MAX = 100;
const REASON_CHARACTERS_MAX = 500;

/** A parser for whole numbers within [min, max], for commander. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,15}$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`Write a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

export function durationArgument(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === null || durationMs === 0) {
    throw new InvalidArgumentError('Write a duration such as 30s or 5m.');
  }
  return durationMs;
}

/** A parser for durations within [minMs, maxMs], for commander. */
export function durationBetween(minMs: number, maxMs: number): (text: string) => number {
  return (text) => {
    const durationMs = durationArgument(text);
    if (durationMs < minMs || durationMs > maxMs) {
      const [least, most] = [formatDuration(minMs), formatDuration(maxMs)];
      throw new InvalidArgumentError(`Write a duration from ${least} to ${most}.`);
    }
    return durationMs;
  };
}

/** Text for the record: one line, 1 to 500 characters. */
export function reasonArgument(text: string): string {
  const reason = printable(text).trim();
  if (reason === '' || reason.length > REASON_CHARACTERS_MAX) {
    throw new InvalidArgumentError(`Write 1 to ${REASON_CHARACTERS_MAX} characters.`);
  }
  return reason;
}

/** Who says so, for the record: one line, 1 to 100 characters. */
export function nameArgument(text: string): string {
  const name = printable(text).trim();
  if (name === '' || name.length > ACTOR_CHARACTERS_MAX) {
    throw new InvalidArgumentError(`Write 1 to ${ACTOR_CHARACTERS_MAX} characters.`);
  }
  return name;
}

/** Each use of an option adds a value. */
export function collect(value: string, values: readonly string[] = []): readonly string[] {
  return [...values, value];
}

/** Who is at the keyboard, for the record. */
export function actor(): string {
  const name = printable(loginName()).slice(0, ACTOR_CHARACTERS_MAX - 'cli:'.length);
  return `cli:${name}`;
}

/** A container may run under a user id that has no name. */
function loginName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'unknown';
  }
}

export function regionName(text: string): RegionId {
  if (!isName(text)) {
    throw new InvalidArgumentError('Name one region, e.g. us-west-2.');
  }
  return regionId(text);
}

/** The regions that a cluster is made with, separated by commas. */
export function foundingRegions(text: string): readonly RegionId[] {
  return regionsIn(text, {
    isCount: (count) => count === 3 || count === 5,
    hint: 'List three or five different regions, separated by commas.',
  });
}

/** All regions that vote or are to vote, separated by commas. */
export function reachableRegions(text: string): readonly RegionId[] {
  return regionsIn(text, {
    isCount: (count) => count >= 3,
    hint: 'List three or more different regions, separated by commas.',
  });
}

export function clusterName(text: string): string {
  if (!isName(text)) {
    throw new InvalidArgumentError('Lower-case letters, digits and dashes, from a letter.');
  }
  return text;
}

interface RegionList {
  readonly isCount: (count: number) => boolean;
  readonly hint: string;
}

function regionsIn(text: string, { isCount, hint }: RegionList): readonly RegionId[] {
  const names = text.split(',').map((name) => name.trim());
  if (!isCount(names.length) || new Set(names).size < names.length || !names.every(isName)) {
    throw new InvalidArgumentError(hint);
  }
  return names.map(regionId);
}

function isName(text: string): boolean {
  return NAME_PATTERN.test(text);
}
