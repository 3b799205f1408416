/**
 * Every upper and lower limit of a configuration, with the relations between them checked at load.
 *
 * The file schema, the API's schema, the JSON Schema for editors and `docs/configuration.md` all
 * read their numbers here, so they cannot disagree. Durations are whole milliseconds.
 */
import { invariant } from '../base/invariant.ts';
import { LOG_LIMITS } from '../consensus/settings.ts';
import { SILENCE_INTERVALS_MIN } from '../detection/limits.ts';
import { SWITCH_LIMITS } from '../recovery/switch-limits.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

export const CONFIG_LIMITS = {
  /** A file of 100 services with 10 sites each is about 300 kB. */
  fileCharactersMax: 1_048_576,
  /** All policies as canonical JSON: a configuration is one command of the log. */
  policiesBytesMax: 60_000,
  /** Problems that one validation lists; what follows is counted. */
  problemsMax: 200,
  servicesMin: 1,
  servicesMax: 100,
  sitesMin: 2,
  sitesMax: 10,
  monitorsMax: 100,
  /** Configured sites of one monitor. */
  monitorSitesMax: 200,
  /** Sites that may come into being by their first beat: of one monitor, and of all. */
  provisionedSitesMin: 1,
  provisionedSitesMax: 200,
  provisionedSitesInAllMax: 500,
  cronCharactersMax: 100,
  timezoneCharactersMax: 64,
  /** Expressions that are kept parsed between two questions. */
  cronsParsedMax: 1000,
  everyMsMin: MINUTE_MS,
  everyMsMax: 366 * 24 * HOUR_MS,
  graceMsMin: 5 * SECOND_MS,
  graceMsMax: 168 * HOUR_MS,
  runMsMin: SECOND_MS,
  runMsMax: 168 * HOUR_MS,
  tokensMin: 1,
  /** More than one while a token is rotated. */
  tokensMax: 5,
  /** A plain token in an environment variable; shorter ones can be guessed. */
  tokenCharactersMin: 20,
  tokenCharactersMax: 512,
  dnsNameCharactersMax: 243,
  probeUrlCharactersMax: 2048,
  /** Probes of one site, without the plain one that `probe` stands for. */
  probesMax: 5,
  probeIntervalMsMin: SECOND_MS,
  probeIntervalMsMax: HOUR_MS,
  probeIntervalMsDefault: 10 * SECOND_MS,
  probeTimeoutMsMin: 100,
  /** A step or a stop may wait for one probe, so none may take longer. */
  probeTimeoutMsMax: 10 * SECOND_MS,
  probeTimeoutMsDefault: 4 * SECOND_MS,
  /** Most results in a row that `rise` or `fall` may ask for. */
  probeCountMax: 10,
  probeRiseDefault: 2,
  probeFallDefault: 3,
  probeTextCharactersMax: 256,
  probeAnswersMax: 10,
  certificateDaysMax: 365,
  certificateDaysDefault: 14,
  ttlSecondsMin: 1,
  ttlSecondsMax: 300,
  intervalMsMin: 100,
  intervalMsMax: 24 * HOUR_MS,
  phiMin: 1,
  phiMax: 100,
  silenceMsMin: 400,
  silenceMsMax: 168 * HOUR_MS,
  /** Silence in intervals before it alone counts as a failure: longer than the lease of a site. */
  silenceIntervalsMin: SILENCE_INTERVALS_MIN,
  silenceIntervalsDefault: 12,
  rtoMsMin: SECOND_MS,
  rtoMsMax: 24 * HOUR_MS,
  rpoMsMin: 0,
  rpoMsMax: 24 * HOUR_MS,
  holdDownMsMin: 0,
  holdDownMsMax: 24 * HOUR_MS,
  automaticRunsPerDayMin: 1,
  automaticRunsPerDayMax: 100,
  stepTimeoutMsMin: SECOND_MS,
  /** Longest time-out, wait or hold of one step. */
  stepMsMax: 24 * HOUR_MS,
  stepAttemptsMax: 100,
  stepsPerStageMax: 10,
  stagesMax: 30,
  /** With those of groups: a run holds them all, and every state of the log holds the latest runs. */
  planStepsMax: 40,
  resourceCharactersMax: 255,
  sentenceCharactersMax: 300,
  payloadKeyCharactersMax: 64,
  payloadCharactersMax: 1024,
  capacityMax: 10_000,
  alarmNamesMax: 20,
  notificationTargetsMax: 5,
  returnPercentsMax: 10,
  blockedDatesMax: 50,
  alarmNameCharactersMax: 100,
  drillMsMin: SECOND_MS,
  drillMsMax: 24 * HOUR_MS,
  returnHoldMsMax: 24 * HOUR_MS,
  lagMsMax: 24 * HOUR_MS,
} as const;

invariant(
  CONFIG_LIMITS.silenceMsMin >= CONFIG_LIMITS.silenceIntervalsMin * CONFIG_LIMITS.intervalMsMin &&
    CONFIG_LIMITS.silenceMsMax >= CONFIG_LIMITS.silenceIntervalsMin * CONFIG_LIMITS.intervalMsMax,
  'config-limits-silence-covers-interval',
);
invariant(
  CONFIG_LIMITS.policiesBytesMax + 1024 < LOG_LIMITS.commandBytesMax,
  'config-limits-fits-one-command',
);
invariant(
  CONFIG_LIMITS.ttlSecondsMax <= SWITCH_LIMITS.ttlSecondsMax,
  'config-limits-ttl-within-dns',
);
/** `_tripoint.` in front of the name is the fence, and it too must fit into 253 characters. */
invariant(
  CONFIG_LIMITS.dnsNameCharactersMax + '_tripoint.'.length <= 253,
  'config-limits-fence-fits',
);
invariant(
  CONFIG_LIMITS.provisionedSitesMax <= CONFIG_LIMITS.provisionedSitesInAllMax,
  'config-limits-provisioned-sites',
);
