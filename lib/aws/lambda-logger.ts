/**
 * Log events of a Lambda function: one JSON line each, as CloudWatch Logs Insights reads them.
 *
 * The event name is the message, so that `filter message = "step-claimed"` finds all of one kind;
 * the fields stand under `detail`, where no field can overwrite the time stamp or the level.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import type { LogEvent, LogLevel } from '../base/log.ts';

export interface LambdaLoggerOptions {
  /** Stands in every line, so that lines of two clusters in one account stay apart. */
  readonly clusterId: string;
  readonly region: string;
  /** Events below this level are dropped. */
  readonly level: LogLevel;
}

const LEVELS = { debug: 'DEBUG', info: 'INFO', warn: 'WARN', error: 'ERROR' } as const;

export function createLambdaLogger({ clusterId, region, level }: LambdaLoggerOptions): LogEvent {
  const logger = new Logger({
    serviceName: clusterId,
    logLevel: LEVELS[level],
    persistentKeys: { region },
  });
  return (severity, event, detail) => {
    logger[severity](event, detail === undefined ? {} : { detail });
  };
}
