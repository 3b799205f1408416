/**
 * Lambda that is invoked each minute and loops each second: detects, decides, acts.
 * Composed once per process, so that caches and connections outlive an invocation.
 */
import { composeController } from '../lib/aws/compose-controller.ts';

export const handler = composeController();
