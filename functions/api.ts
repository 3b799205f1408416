/**
 * Lambda behind the function URL: takes heartbeats and commands, answers status and routing.
 * Composed once per process; everything it does is in `lib/aws/compose-api.ts`.
 */
import { composeApi } from '../lib/aws/compose-api.ts';

export const handler = composeApi();
