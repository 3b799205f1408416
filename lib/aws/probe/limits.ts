/** Upper limits of what a probe reads and waits for, whatever the site sends. */
export const PROBE_IO_LIMITS = {
  /** Of a body in which text is looked for; what follows is not read. */
  bodyBytesMax: 64 * 1024,
  headerBytesMax: 16 * 1024,
  /** Certificates of a chain that are looked at. */
  chainMax: 10,
  /** A time limit that fires later than this says that our own process stood still. */
  standstillMs: 1000,
  /** What has not ended so long after its limit struck is waited for no more. */
  leaveMs: 250,
  /** Values of an answer that a finding repeats, and characters of each. */
  answersShownMax: 5,
  answerCharactersShownMax: 80,
} as const;
