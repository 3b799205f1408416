/**
 * What a name server's answer says of a question or a change: done, refused, moved on, or nothing.
 *
 * A response code is a claim, and a claim counts only when its signature is right. What comes
 * unsigned may come from anyone, so after a change was sent it can never say that nothing was
 * changed; before that, it can at least say what the operator should look at.
 */
import type { ChangeOutcome } from '../../recovery/switch-port.ts';
import type { TsigErrorCode } from './tsig.ts';

const RESPONSE_CODE = {
  noError: 0,
  formatError: 1,
  serverFailure: 2,
  noSuchName: 3,
  notImplemented: 4,
  refused: 5,
  nameExists: 6,
  setExists: 7,
  setMissing: 8,
  notAuthoritative: 9,
  notInZone: 10,
} as const;

const NAMES: ReadonlyMap<number, string> = new Map([
  [0, 'NOERROR'],
  [1, 'FORMERR'],
  [2, 'SERVFAIL'],
  [3, 'NXDOMAIN'],
  [4, 'NOTIMP'],
  [5, 'REFUSED'],
  [6, 'YXDOMAIN'],
  [7, 'YXRRSET'],
  [8, 'NXRRSET'],
  [9, 'NOTAUTH'],
  [10, 'NOTZONE'],
]);

export interface Refusal {
  readonly kind: 'refused';
  readonly code: string;
  readonly detail: string;
}

const TSIG_HINTS: { readonly [Code in TsigErrorCode]: string } = {
  'tsig-bad-signature': 'check the secret and the algorithm of the key',
  'tsig-bad-key': 'check the name of the key, and that the server has it',
  'tsig-bad-time': 'set the clock of this machine and that of the name server',
  'tsig-bad-truncation': 'let the server take whole signatures',
};

export function tsigRefusal(code: TsigErrorCode): Refusal {
  return {
    kind: 'refused',
    code,
    detail: `the name server does not take the signature; ${TSIG_HINTS[code]}`,
  };
}

function responseName(code: number): string {
  return NAMES.get(code) ?? `response code ${code}`;
}

/** What an authentic answer to an UPDATE says; null = it was done. */
export function updateFailure(code: number): Exclude<ChangeOutcome, { kind: 'applied' }> | null {
  const name = responseName(code);
  switch (code) {
    case RESPONSE_CODE.noError:
      return null;
    case RESPONSE_CODE.noSuchName:
    case RESPONSE_CODE.nameExists:
    case RESPONSE_CODE.setExists:
    case RESPONSE_CODE.setMissing:
      return { kind: 'conflict', detail: `${name}: the zone does not hold what was expected` };
    case RESPONSE_CODE.refused:
      return {
        kind: 'refused',
        code: 'access-denied',
        detail: `${name}: let the key change this name and its fence (update-policy, check-names)`,
      };
    case RESPONSE_CODE.notInZone:
      return { kind: 'refused', code: 'not-for-this-zone', detail: name };
    case RESPONSE_CODE.notAuthoritative:
      return {
        kind: 'refused',
        code: 'server-not-authoritative',
        detail: `${name}: name the primary server of the zone`,
      };
    case RESPONSE_CODE.formatError:
    case RESPONSE_CODE.notImplemented:
      return { kind: 'refused', code: 'update-not-supported', detail: name };
    default:
      // SERVFAIL may come after the change as well as before it.
      return { kind: 'unknown', cause: `the name server answered ${name}` };
  }
}

/** What an answer to a question says of it; null = its records can be read. */
export function queryFailure(
  code: number,
  isAuthoritative: boolean,
): Refusal | { readonly kind: 'unknown'; readonly cause: string } | null {
  const name = responseName(code);
  switch (code) {
    case RESPONSE_CODE.noError:
    case RESPONSE_CODE.noSuchName:
      return isAuthoritative
        ? null
        : {
            kind: 'refused',
            code: 'server-not-authoritative',
            detail: 'the server answers from a cache; name the primary server of the zone',
          };
    case RESPONSE_CODE.refused:
    case RESPONSE_CODE.notAuthoritative:
      return {
        kind: 'refused',
        code: 'access-denied',
        detail: `${name}: let the key ask the zone`,
      };
    default:
      return { kind: 'unknown', cause: `the name server answered ${name}` };
  }
}
