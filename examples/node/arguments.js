// What the wrapper's functions take: checked, and turned into what C can express. What is wrong is a TypeError
// or a RangeError, before anything is sent.
import * as native from './library.js';

export const uint32Max = 0xffff_ffff;

/** The options of every call. */
export const callOptions = ['signal', 'timeout', 'maxAttempts'];

/** Those in C, but for the cancel handle, which a signal wants. */
export function requestOptions({ signal, timeout, maxAttempts }) {
  refuseOddSignal(signal);
  return native.makeRequestOptions({
    timeout_ms: milliseconds('timeout', timeout),
    max_attempts: number('maxAttempts', maxAttempts, uint32Max),
  });
}

// What is misspelt, comes behind the options, or is none at all, would otherwise silently mean the default.
export function known(options, names, more) {
  if (more.length > 0) throw new TypeError('options are one object, and nothing comes behind it');
  // Not by its prototype, which of an object from another realm is another one.
  if (Object.prototype.toString.call(options) !== '[object Object]') throw new TypeError('options must be an object');
  for (const name of namesIn(options)) {
    if (!names.includes(name)) throw new TypeError(`unknown option '${String(name)}'; there are ${names.join(', ')}`);
  }
  return options;
}

// Those of prototypes are read like its own; what every object has is at the root of them.
function* namesIn(options) {
  yield* Reflect.ownKeys(options);
  let from = Object.getPrototypeOf(options);
  for (let next; from !== null && (next = Object.getPrototypeOf(from)) !== null; from = next)
    yield* Reflect.ownKeys(from).filter((name) => name !== 'constructor');
}

function refuseOddSignal(signal) {
  if (signal === undefined || signal === null) return;
  if (typeof signal.aborted !== 'boolean' || typeof signal.addEventListener !== 'function')
    throw new TypeError('signal must be an AbortSignal');
}

// What C can express, and the library's 0 or NULL for what is not given.

export function text(name, value) {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw new TypeError(`${name} must be a string`);
  // C would read a string with a NUL in it as a shorter one; UTF-8 cannot express half of a surrogate pair.
  if (value.includes('\0')) throw new TypeError(`${name} contains a NUL character`);
  if (/\p{Surrogate}/u.test(value)) throw new TypeError(`${name} is not valid Unicode`);
  return value;
}

export function needed(name, value) {
  if (value === undefined || value === null) throw new TypeError(`${name} must be a string`);
  return text(name, value);
}

export function number(name, value, most, least = 1) {
  if (value === undefined || value === null) return 0;
  if (typeof value !== 'number') throw new TypeError(`${name} must be a number`);
  if (!Number.isInteger(value) || value < least || value > most)
    throw new RangeError(`${name} must be a whole number from ${least} to ${most}`);
  return value;
}

// The largest number is the library's word for no limit.
export function milliseconds(name, value) {
  return value === Infinity ? uint32Max : number(name, value, uint32Max - 1);
}

export function yes(name, value) {
  if (value === undefined || value === null) return false;
  if (typeof value !== 'boolean') throw new TypeError(`${name} must be true or false`);
  return value;
}

export function callback(name, value) {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'function') throw new TypeError(`${name} must be a function`);
  return value;
}

export function choice(name, value, choices) {
  if (value === undefined || value === null) return 0;
  const index = choices.indexOf(value);
  if (index < 0) throw new RangeError(`${name} must be one of ${choices.join(', ')}`);
  return index + 1;
}
