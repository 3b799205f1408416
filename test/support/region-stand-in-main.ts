/** A stand-in as its own process, so that a test can stop it as a black hole does: SIGSTOP. */
import { startRegionStandIn } from './region-stand-in.ts';

const [, , json = ''] = process.argv;
const region = await startRegionStandIn(JSON.parse(json));
process.stdout.write(`${region.url}\n`);
