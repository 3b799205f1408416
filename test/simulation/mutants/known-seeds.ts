/**
 * Lives that found out a rare mutant before: tried first, so that a campaign need not look for them
 * anew. When lives have changed and one of these goes well, the hunt goes on from the first seed.
 */
export const KNOWN_SEEDS: { readonly [mutant: string]: number } = {
  'any-commit-believed': 55,
  'applies-from-the-leader-at-hand': 354,
  'committed-by-the-new-voters-only': 104,
  'compaction-forgets-who-votes': 104,
  'doubt-of-an-exchange-forgotten': 268,
  'earlier-doubt-forgotten': 67,
  'expired-command-acknowledged': 86,
  'hint-of-a-beat-believed': 202,
  'install-without-snapshot': 104,
  'lead-without-own-answer': 41,
  'new-table-under-the-old-name': 43,
  'no-expiry': 86,
  'no-sessions': 104,
  'pre-vote-without-waiting': 134,
  'read-before-it-is-applied': 128,
  'read-without-majority': 67,
  'refusal-ends-doubt': 268,
  'refused-proposal-replicated': 111,
  'sessions-forgotten-early': 104,
  'snapshot-without-sessions': 104,
  'unknown-write-refused': 111,
  'unreachable-read-from-cache': 64,
};
