/**
 * Lives that found out a rare mutant before: tried first, so that a campaign need not look for them
 * anew. When lives have changed and one of these goes well, the hunt goes on from the first seed.
 */
export const KNOWN_SEEDS: { readonly [mutant: string]: number } = {
  'any-commit-believed': 169,
  'append-to-the-leader-itself': 43,
  'applies-from-the-leader-at-hand': 228,
  'challenge-ignored': 525,
  'claims-a-longer-log': 41,
  'committed-by-the-new-voters-only': 104,
  'compaction-forgets-who-votes': 86,
  'doubt-of-an-exchange-forgotten': 82,
  'earlier-doubt-forgotten': 67,
  'expired-command-acknowledged': 86,
  'hint-of-a-beat-believed': 332,
  'install-takes-the-base-back': 34,
  'install-without-snapshot': 67,
  'lead-without-own-answer': 256,
  'logs-compared-by-length': 332,
  'new-table-under-the-old-name': 43,
  'no-expiry': 86,
  'no-sessions': 104,
  'pre-vote-without-waiting': 92,
  'read-before-it-is-applied': 382,
  'read-without-majority': 107,
  'refusal-ends-doubt': 38,
  'refused-proposal-replicated': 78,
  'sessions-forgotten-early': 104,
  'snapshot-without-sessions': 104,
  'unknown-write-refused': 82,
  'unreachable-read-from-cache': 32,
  'unreplicated-is-no-doubt': 30,
};
