/**
 * Decides which URLs get the session: those at or below one of the paths, by
 * whole segments. Anything else is another party's and never sees the header.
 *
 * @param {URL} base paths are relative to it
 * @param {string[]} paths such as `/api`, or a full URL on another host
 * @returns {(href: string) => boolean}
 */
export function scope(base, paths) {
  const roots = paths.map((path) => new URL(path, base));
  return (href) => {
    const url = new URL(href);
    return roots.some((root) => url.origin === root.origin && below(url.pathname, root.pathname));
  };
}

/**
 * @param {string} path
 * @param {string} root
 */
function below(path, root) {
  const prefix = root.endsWith('/') ? root : `${root}/`;
  return path === root || path.startsWith(prefix);
}
