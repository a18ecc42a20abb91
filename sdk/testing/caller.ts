/**
 * Where the call that is under way was made: the first frame of the stack that is neither Node's nor of those who watch; undefined for the
 * agent's and the kit's own calls, and for what is done to load a module.
 */
export function caller(): string | undefined {
  const frames = (new Error().stack ?? '').split('\n').slice(1);
  const outside = frames.filter((frame) => !frame.includes('node:') || LOADERS.test(frame));
  const first = outside.find((frame) => !WATCHERS.test(frame));
  if (first === undefined || LOADERS.test(first) || AGENT.test(first)) return undefined;
  return first.trim();
}

/** Who asks the file system for a module: Node, or jest in its place. */
const LOADERS = /node:internal[\\/]modules|[\\/](jest-runtime|jest-resolve|jest-transform|graceful-fs)[\\/]/;
const WATCHERS = /[\\/]testing[\\/](dist[\\/])?(timers|input-output|caller)\./;
const AGENT = /[\\/](core|@patchbay[\\/](agent|testing)|sdk[\\/]testing)[\\/]/;
