/**
 * The file schema as JSON Schema: for editors, for the documentation, and for the fix a problem
 * proposes.
 *
 * Editors read the published form through `# yaml-language-server: $schema=…`. There a value may
 * also be a `${VARIABLE}` reference, which an editor cannot expand and must not underline.
 */
import { z } from 'zod';
import { fileSchema } from './file-schema.ts';

/** The part of JSON Schema that the file schema uses. */
export interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly required?: readonly string[];
  readonly properties?: { readonly [key: string]: SchemaNode };
  readonly additionalProperties?: boolean | SchemaNode;
  readonly items?: SchemaNode;
  /** Kind of value in the reader's words. */
  readonly 'x-type'?: string;
  /** Default that is computed from other values. */
  readonly 'x-default'?: string;
  /** Path of a node with the same keys, which the documentation describes once. */
  readonly 'x-like'?: string;
}

/** The schema of a file after expansion of its references, with the reader's words on each value. */
export const FILE_NODE: SchemaNode = z.toJSONSchema(fileSchema, { io: 'input' }) as SchemaNode;

/** The node that describes the value at `path`; null where the schema knows no such key. */
export function schemaNodeAt(path: readonly PropertyKey[]): SchemaNode | null {
  return path.reduce<SchemaNode | null>((node, key) => childOf(node, key), FILE_NODE);
}

function childOf(node: SchemaNode | null, key: PropertyKey): SchemaNode | null {
  if (node === null) {
    return null;
  }
  if (typeof key === 'number') {
    return node.items ?? null;
  }
  const known = Object.entries(node.properties ?? {}).find(([name]) => name === key);
  const { additionalProperties: others } = node;
  return known?.[1] ?? (typeof others === 'object' ? others : null);
}

/** The published JSON Schema (draft 7, which every YAML editor reads), as it stands in `docs/`. */
export function editorSchema(): z.core.JSONSchema.BaseSchema {
  const schema = z.toJSONSchema(fileSchema, {
    io: 'input',
    target: 'draft-7',
    // What stands in several places, the keys of steps above all, is written once.
    reused: 'ref',
    override: ({ jsonSchema }) => {
      delete jsonSchema['x-type'];
      delete jsonSchema['x-default'];
      delete jsonSchema['x-like'];
      allowReference(jsonSchema);
    },
  });
  return { ...schema, title: 'Tripoint configuration' };
}

const CONSTRAINTS = ['type', 'pattern', 'enum', 'minimum', 'maximum', 'minLength', 'maxLength'];

/** Moves the constraints of a scalar into an alternative beside "contains a reference". */
function allowReference(node: { [key: string]: unknown }): void {
  const scalar = ['string', 'number', 'integer', 'boolean'].includes(String(node['type']));
  const constraints = CONSTRAINTS.filter((key) => node[key] !== undefined);
  const unconstrained = constraints.length === 1 && node['type'] === 'string';
  if (!scalar || unconstrained || node['const'] !== undefined) {
    return;
  }
  const value = Object.fromEntries(constraints.map((key) => [key, node[key]]));
  for (const key of constraints) {
    delete node[key];
  }
  node['anyOf'] = [value, { type: 'string', pattern: '\\$\\{[A-Za-z_][A-Za-z0-9_]*\\}' }];
}
