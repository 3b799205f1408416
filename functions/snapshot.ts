/** Lambda that stores a copy of the state each hour, here and in another region. */
import { composeSnapshot } from '../lib/aws/compose-snapshot.ts';

export const handler = composeSnapshot();
