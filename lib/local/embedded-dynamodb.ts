/**
 * The embedded DynamoDB of one local region: dynalite (LevelDB behind the DynamoDB HTTP API), in
 * this process, on loopback.
 *
 * Durability: every write reaches the operating system before it is answered, so it survives a
 * `kill -9` of this process; it may not survive a power cut, because LevelDB does not fsync here.
 * That is the honest limit of local mode. AWS keeps three copies.
 */
import type { IncomingMessage, Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import dynalite from 'dynalite';
import { AppError } from '../base/errors.ts';

/** Longer than any pause of a controller, so that its connection is not closed under a request. */
const KEEP_ALIVE_MS = 120_000;

/** How long `close` waits for answers under way before it cuts the connections. */
const CLOSE_GRACE_MS = 500;

export interface EmbeddedDynamoDbOptions {
  /** Folder of the store, made when it is missing; null = in memory. */
  readonly path: string | null;
  /** 0 = any free port. */
  readonly port: number;
}

export interface EmbeddedDynamoDb {
  readonly url: string;
  /** Resolves when the store is closed and its folder may be opened again. */
  readonly close: () => Promise<void>;
}

/** @throws AppError `store-unusable`, `port-in-use` */
export async function startEmbeddedDynamoDb(
  options: EmbeddedDynamoDbOptions,
): Promise<EmbeddedDynamoDb> {
  if (options.path !== null) {
    await requireUsable(options.path);
  }
  const server = dynalite({
    ...(options.path === null ? {} : { path: options.path }),
    createTableMs: 0,
    deleteTableMs: 0,
    updateTableMs: 0,
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on('request', survivesAbort);
  await listen(server, options.port);
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => close(server) };
}

/** The LevelDB that dynalite itself brings along. */
interface LevelModule {
  readonly Level: new (path: string) => { open: () => Promise<void>; close: () => Promise<void> };
}

/**
 * Opens and closes the store once. dynalite opens it in the background and hides why it could not:
 * the first request would end the process with nothing but "Database is closed".
 */
async function requireUsable(path: string): Promise<void> {
  const { Level }: LevelModule = createRequire(import.meta.resolve('dynalite'))('level');
  const store = new Level(path);
  try {
    await store.open();
    await store.close();
  } catch (cause) {
    throw new AppError(`the embedded DynamoDB cannot open its folder ${path}`, {
      code: 'store-unusable',
      hint: 'Stop the other process that holds the folder; if there is none, the folder is damaged or not writable.',
      retryable: true,
      cause,
    });
  }
}

/**
 * dynalite throws out of an event handler when a client hangs up before its answer: a killed
 * controller of one region would take the stores of the other regions with it. This listener runs
 * after dynalite's own and takes that handler off again.
 */
function survivesAbort(request: IncomingMessage): void {
  request.removeAllListeners('error');
  // Without a listener Node would treat the error as uncaught. There is nobody left to answer.
  request.on('error', () => undefined);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      reject(
        new AppError(`the embedded DynamoDB cannot listen on port ${port}`, {
          code: 'port-in-use',
          hint: `Find out who holds the port (ss -ltnp 'sport = :${port}'), or choose another.`,
          retryable: true,
          cause,
        }),
      );
    });
    server.listen(port, '127.0.0.1', resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    server.close((error) => {
      clearTimeout(cut);
      if (error) {
        reject(error);
      } else {
        resolve();
      }
    });
  });
}
