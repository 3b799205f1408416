/** Real servers on loopback for probes to meet, each closed with all its connections. */
import { once } from 'node:events';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import {
  type AddressInfo,
  createServer as createTcpServer,
  type Server,
  type Socket,
} from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { TestCertificate } from './certificates.ts';

const HOST = '127.0.0.1';

export class ProbeTargets {
  readonly #servers = new Map<Server, Set<Socket>>();

  /** Port of an HTTP server. */
  http(listener: RequestListener): Promise<number> {
    return this.#listen(createHttpServer(listener));
  }

  https(certificate: TestCertificate, listener: RequestListener): Promise<number> {
    return this.#listen(createHttpsServer({ ...certificate }, listener));
  }

  tls(certificate: TestCertificate): Promise<number> {
    return this.#listen(createTlsServer({ ...certificate }));
  }

  tcp(onConnection: (socket: Socket) => void): Promise<number> {
    // Flowing, or the end of the other side would never be noticed.
    return this.#listen(createTcpServer((socket) => onConnection(socket.resume())));
  }

  /** A port where nobody listens: one that was free a moment ago. */
  async nobody(): Promise<number> {
    const server = createTcpServer().listen(0, HOST);
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return port;
  }

  /** Connections that are open now, at any of the servers. */
  get openCount(): number {
    return [...this.#servers.values()].reduce((sum, sockets) => sum + sockets.size, 0);
  }

  async close(): Promise<void> {
    const servers = [...this.#servers];
    this.#servers.clear();
    await Promise.all(
      servers.map(async ([server, sockets]) => {
        const closed = once(server, 'close');
        server.close();
        for (const socket of sockets) {
          socket.destroy();
        }
        await closed;
      }),
    );
  }

  async #listen(server: Server): Promise<number> {
    const sockets = new Set<Socket>();
    this.#servers.set(server, sockets);
    server.on('connection', (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => sockets.delete(socket));
    });
    server.on('tlsClientError', () => undefined);
    server.listen(0, HOST);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }
}
