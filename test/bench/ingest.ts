/**
 * What a heartbeat costs: (a) heartbeats a second over real HTTP, single and batched, against the same
 * conditional writes sent by the same SDK client without us, and against a bare route of the same
 * framework; (b) what one beat costs at the table; (c) a tick of the controller over a large and idle
 * fleet. Store, API and clients are threads of their own, and rounds of all kinds take turns, so that
 * whatever else the machine does meets all of them.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { PutItemCommand, type PutItemCommandInput } from '@aws-sdk/client-dynamodb';
import { inParallel } from '../../lib/control/in-parallel.ts';
import { type LocalTable, tableIn } from '../support/dynamodb.ts';
import { HttpPoster } from './http-poster.ts';
import { SERVICE, SITES, siteName, TOKEN } from './ingest-fleet.ts';
import type { IngestCounts } from './ingest-main.ts';
import { benchTick } from './ingest-tick.ts';
import { type Benchmark, median, quantile, rounded } from './measure.ts';

const ROUNDS = 15;
const WARM_UP = 3;
const BEATS = 400;
const BARE_REQUESTS = 1200;
/** Requests under way at once. */
const PARALLEL = 16;
const BATCH_BEATS = 500;
const BATCHES = 8;
const BATCHES_PARALLEL = 2;
const COUNTED_BEATS = 200;

export async function benchIngest(): Promise<Benchmark> {
  const store = new Worker(new URL('./store-main.ts', import.meta.url));
  const [storeUrl] = (await once(store, 'message')) as [string];
  const table = await tableIn(storeUrl);
  const workerData = { storeUrl, tableName: table.tableName };
  const api = new Worker(new URL('./ingest-main.ts', import.meta.url), { workerData });
  const [ports] = (await once(api, 'message')) as [{ apiPort: number; barePort: number }];
  const bench = new IngestBench(table, api, ports);
  const figures = {
    ...(await bench.rates()),
    ...(await bench.latencies()),
    ...(await bench.counts()),
  };
  bench.close();
  await api.terminate();
  const idle = await tableIn(storeUrl);
  const tick = await benchTick(idle);
  await idle.close();
  await table.close();
  await store.terminate();
  return { ...figures, ...tick };
}

class IngestBench {
  readonly #table: LocalTable;
  readonly #api: Worker;
  readonly #beats: HttpPoster;
  readonly #bare: HttpPoster;
  #sequence = 0;
  #revision = 0;

  constructor(table: LocalTable, api: Worker, ports: { apiPort: number; barePort: number }) {
    this.#table = table;
    this.#api = api;
    this.#beats = new HttpPoster(ports.apiPort, PARALLEL);
    this.#bare = new HttpPoster(ports.barePort, PARALLEL);
  }

  close(): void {
    this.#beats.close();
    this.#bare.close();
  }

  async rates(): Promise<Benchmark> {
    const kinds = {
      single: { count: BEATS, run: () => this.#singles() },
      raw: { count: BEATS, run: () => this.#rawWrites() },
      bare: { count: BARE_REQUESTS, run: () => this.#bareRequests() },
      batched: { count: BATCHES * BATCH_BEATS, run: () => this.#batches() },
    };
    const rates = new Map(Object.keys(kinds).map((kind) => [kind, [] as number[]]));
    await this.#singles();
    for (let round = 0; round < ROUNDS + WARM_UP; round += 1) {
      const order = Object.entries(kinds);
      for (const [kind, { count, run }] of round % 2 === 0 ? order : order.reverse()) {
        const startedAt = performance.now();
        await run();
        const perSecond = (1000 * count) / (performance.now() - startedAt);
        if (round >= WARM_UP) {
          rates.get(kind)?.push(perSecond);
        }
      }
    }
    const of = (kind: string) => rates.get(kind) ?? [];
    const ratios = (left: string, right: string) =>
      rounded(median(of(left).map((rate, round) => rate / (of(right)[round] ?? rate))));
    return {
      singleBeatsPerSecond: Math.round(median(of('single'))),
      rawPutsPerSecond: Math.round(median(of('raw'))),
      bareRequestsPerSecond: Math.round(median(of('bare'))),
      batchedBeatsPerSecond: Math.round(median(of('batched'))),
      singleOverRaw: ratios('single', 'raw'),
      singleOverBareRoute: ratios('single', 'bare'),
      batchedOverRaw: ratios('batched', 'raw'),
    };
  }

  /** One beat after the other, beside one bare write after the other. */
  async latencies(): Promise<Benchmark> {
    const ours: number[] = [];
    const theirs: number[] = [];
    const model = await this.#lastWrite();
    for (let count = 0; count < 400; count += 1) {
      ours.push(await timed(() => this.#beat(count % SITES)));
      theirs.push(await timed(() => this.#rawWrite(model)));
    }
    return {
      beatP50Ms: rounded(median(ours)),
      beatP99Ms: rounded(quantile(ours, 0.99)),
      rawPutP50Ms: rounded(median(theirs)),
      rawPutP99Ms: rounded(quantile(theirs, 0.99)),
    };
  }

  /** What beats cost at the table, once the sites are known. */
  async counts(): Promise<Benchmark> {
    const before = await this.#counts();
    for (let count = 0; count < COUNTED_BEATS; count += 1) {
      await this.#beat(count % SITES);
    }
    const after = await this.#counts();
    return {
      requestsPerBeat: (after.requests - before.requests) / COUNTED_BEATS,
      writeUnitsPerBeat: (after.writeUnits - before.writeUnits) / COUNTED_BEATS,
      itemBytesMax: after.itemBytesMax,
    };
  }

  async #singles(): Promise<void> {
    const places = Array.from({ length: BEATS }, (_, count) => count % SITES);
    await inParallel(places, PARALLEL, (place) => this.#beat(place));
  }

  #beat(place: number): Promise<void> {
    this.#sequence += 1;
    return this.#beats.post(
      `/v1/services/${SERVICE}/sites/${siteName(place)}/heartbeats`,
      { sequence: this.#sequence, bootId: 'bench', status: 'ok', replicationLagMs: 12 },
      TOKEN,
    );
  }

  /** As sent by a gateway that gathers beats: five of each site, in one request. */
  async #batches(): Promise<void> {
    await inParallel(Array.from({ length: BATCHES }), BATCHES_PARALLEL, () => {
      const beats = Array.from({ length: BATCH_BEATS }, (_, count) => {
        this.#sequence += 1;
        const site = siteName(count % SITES);
        return { site, sequence: this.#sequence, bootId: 'bench', status: 'ok' };
      });
      return this.#beats.post(`/v1/services/${SERVICE}/heartbeats`, { beats }, TOKEN);
    });
  }

  async #bareRequests(): Promise<void> {
    await inParallel(Array.from({ length: BARE_REQUESTS }), PARALLEL, () => {
      const body = { sequence: 1, bootId: 'bench', status: 'ok', replicationLagMs: 12 };
      return this.#bare.post('/beat', body, TOKEN);
    });
  }

  /** The very items that the adapter wrote, each sent after the one before it was stored. */
  async #rawWrites(): Promise<void> {
    const model = await this.#lastWrite();
    await inParallel(Array.from({ length: BEATS }), PARALLEL, () => this.#rawWrite(model));
  }

  async #rawWrite(model: PutItemCommandInput): Promise<void> {
    this.#revision += 1;
    const Item = {
      ...model.Item,
      sk: { S: `raw@${this.#revision % SITES}` },
      revision: { N: String(this.#revision) },
    };
    const write = {
      ...model,
      Item,
      ConditionExpression: 'attribute_not_exists(#revision) OR #revision < :revision',
      ExpressionAttributeNames: { '#revision': 'revision' },
      ExpressionAttributeValues: { ':revision': { N: String(this.#revision) } },
    };
    await this.#table.client.send(new PutItemCommand(write));
  }

  async #lastWrite(): Promise<PutItemCommandInput> {
    const { lastWrite } = await this.#counts();
    if (lastWrite === null) {
      throw new Error('the adapter has written nothing yet');
    }
    return lastWrite;
  }

  async #counts(): Promise<IngestCounts> {
    this.#api.postMessage('counts');
    const [counts] = (await once(this.#api, 'message')) as [IngestCounts];
    return counts;
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}
