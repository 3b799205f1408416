/** Types for dynalite 4, which ships none: only what `embedded-dynamodb.ts` uses. */
declare module 'dynalite' {
  import type { Server } from 'node:http';

  /** An HTTP server that does not listen yet. Closing it closes the store. */
  function dynalite(options: {
    /** Folder of the LevelDB store; in memory when left out. */
    readonly path?: string;
    /** Milliseconds that a new table stays in CREATING; 500 when left out. */
    readonly createTableMs?: number;
    readonly deleteTableMs?: number;
    readonly updateTableMs?: number;
  }): Server;
  export = dynalite;
}
