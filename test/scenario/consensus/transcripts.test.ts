/** Every `.txt` here is told again, and must come out as it stands. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ProcessStory } from './process-story.ts';
import { RegisterStory } from './register-story.ts';
import { type Command, replay, replayFile, type Teller } from './transcript.ts';

const FOLDER = new URL('.', import.meta.url);
const STORIES = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

/** A story is about registers alone, or about processes that work on them: its first command says. */
const tellerOf = ({ name }: Command): Teller =>
  name === 'regions' ? new ProcessStory() : new RegisterStory();

test.each(STORIES)('%s comes out as it is told', async (name) => {
  const { told, found } = await replayFile(new URL(name, FOLDER), tellerOf);
  expect(found).toBe(told);
});

test('all stories are there', () => {
  expect(STORIES.length).toBeGreaterThanOrEqual(20);
});

test.each(['registers s1 s2 s3\n----\n4 registers\n', 'regions a b c\n----\n4 registers\n'])(
  'a transcript that tells it otherwise does not pass',
  async (story) => {
    expect(await replay(story, tellerOf)).not.toBe(story);
  },
);
