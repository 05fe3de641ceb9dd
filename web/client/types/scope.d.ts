/**
 * Decides which URLs get the session: those at or below one of the paths, by
 * whole segments. Anything else is another party's and never sees the header.
 *
 * @param {URL} base paths are relative to it
 * @param {string[]} paths such as `/api`, or a full URL on another host
 * @returns {(href: string) => boolean}
 */
export function scope(base: URL, paths: string[]): (href: string) => boolean;
