import { describe, expect, it } from 'vitest';
import { SCRIPT } from '../../../../lib/api/page/script.ts';
import { STYLESHEET } from '../../../../lib/api/page/stylesheet.ts';
import { createApiFixture } from '../../../support/control-plane-fixture.ts';

describe('the assets of the page', () => {
  it('are a script that parses', () => {
    expect(() => new Function(SCRIPT)).not.toThrow();
  });

  it('touch only elements that the page has', async () => {
    const { app } = await createApiFixture();
    const html = await (await app.request('/')).text();
    for (const [, id] of SCRIPT.matchAll(/getElementById\('([^']+)'\)/g)) {
      expect(html).toContain(`id="${id}"`);
    }
  });

  it('ask only for paths that the API has', async () => {
    const { app } = await createApiFixture();
    const paths = [...SCRIPT.matchAll(/(?:fetch|EventSource)\('([^']+)'/g)].map(([, path]) => path);
    expect(paths.sort()).toEqual(['/', '/v1/events']);
    for (const path of paths) {
      const response = await app.request(path ?? '');
      expect(response.status).toBe(200);
      await response.body?.cancel();
    }
  });

  it('are a stylesheet with balanced braces that defines each colour it uses', () => {
    expect(STYLESHEET.match(/\{/g)?.length).toBe(STYLESHEET.match(/\}/g)?.length);
    for (const [, name] of STYLESHEET.matchAll(/var\((--[a-z]+)\)/g)) {
      expect(STYLESHEET).toContain(`${name}:`);
    }
  });
});
