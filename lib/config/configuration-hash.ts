/**
 * The hash that stands for a configuration in the log, in `status` and in `apply`.
 *
 * Apart from the parser, so that the API hashes what it was sent without a YAML parser in its bundle.
 * A configuration without monitors is hashed as it was before there were any, so that one in force
 * is still known as the same.
 */
import { canonicalJson, type JsonValue } from '../base/json.ts';
import type { MonitorPolicy, ServicePolicy } from '../recovery/policy.ts';
import { sha256 } from './token-hashing.ts';

export function hashConfiguration(
  policies: readonly ServicePolicy[],
  monitors: readonly MonitorPolicy[],
): string {
  return sha256(canonicalConfiguration(policies, monitors));
}

/** The text that is hashed and whose length is bounded. */
export function canonicalConfiguration(
  policies: readonly ServicePolicy[],
  monitors: readonly MonitorPolicy[],
): string {
  const hashed = monitors.length === 0 ? policies : { policies, monitors };
  return canonicalJson(hashed as unknown as JsonValue);
}
