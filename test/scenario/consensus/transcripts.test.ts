/** Every `.txt` here is told again, and must come out as it stands. */
import { readdirSync } from 'node:fs';
import { expect, test } from 'vitest';
import { RegisterStory } from './register-story.ts';
import { replay, replayFile } from './transcript.ts';

const FOLDER = new URL('.', import.meta.url);
const STORIES = readdirSync(FOLDER).filter((name) => name.endsWith('.txt'));

test.each(STORIES)('%s comes out as it is told', (name) => {
  const { told, found } = replayFile(new URL(name, FOLDER), new RegisterStory().answer);
  expect(found).toBe(told);
});

test('all stories are there', () => {
  expect(STORIES.length).toBeGreaterThanOrEqual(8);
});

test('a transcript that tells it otherwise does not pass', () => {
  const story = 'registers s1 s2 s3\n----\n4 registers\n';
  expect(replay(story, new RegisterStory().answer)).not.toBe(story);
});
