/** How a box is: counted while it works, told on `GET /` to who asks on this machine, and to the broker. */
import { createServer, type Server } from 'node:http';
import { MettleError } from '../../errors.ts';

export type Health = {
  /** Whether it does all that it is there for. */
  ok: boolean;
  /** What keeps it from that, one sentence each. */
  problems: string[];
  /** Films analyzed, and given up, since it began. */
  films: number;
  quarantined: number;
  /** Events told. */
  events: number;
  /** Messages that wait for the broker, and that were lost for want of room. */
  queued: number;
  dropped: number;
};

/** A server on 127.0.0.1: 200 where the box is well, else 503, with the facts as JSON. Throws `invalid-argument` where the port is taken. */
export async function serveHealth(port: number, health: () => Health): Promise<Server> {
  const server = createServer((_request, response) => {
    const found = health();
    response.writeHead(found.ok ? 200 : 503, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(found)}\n`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new MettleError('invalid-argument', `Port ${port} cannot be listened on: ${cause.message}.`, {
          hint: 'Choose another --health.',
          cause,
        }),
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  server.unref();
  return server;
}
