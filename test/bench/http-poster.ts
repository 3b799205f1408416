/** A client that posts JSON over connections that it keeps, and wants 200 for an answer. */
import { Agent, request } from 'node:http';

export class HttpPoster {
  readonly #agent: Agent;
  readonly #port: number;

  constructor(port: number, connections: number) {
    this.#port = port;
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections });
  }

  close(): void {
    this.#agent.destroy();
  }

  post(path: string, body: object, token: string): Promise<void> {
    const text = JSON.stringify(body);
    const headers = {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      authorization: `Bearer ${token}`,
    };
    const place = { agent: this.#agent, host: '127.0.0.1', port: this.#port };
    return new Promise((resolve, reject) => {
      const sent = request({ ...place, method: 'POST', path, headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString();
          if (response.statusCode === 200) {
            resolve();
          } else {
            reject(new Error(`${path}: ${response.statusCode} ${answer.slice(0, 300)}`));
          }
        });
      });
      sent.on('error', reject);
      sent.end(text);
    });
  }
}
