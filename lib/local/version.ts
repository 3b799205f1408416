/** The version of this package, for the status page. */
import packageJson from '../../package.json' with { type: 'json' };

export const VERSION: string = packageJson.version;
