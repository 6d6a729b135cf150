import type { IncomingMessage } from 'node:http';

/**
 * Who acts in a request: the user that a session check in front has put into `request.user`. Without one everybody is
 * `anonymous`; a name that a client merely claims is never taken for the actor.
 */
export function actorOf(request: IncomingMessage): string {
  const user = (request as { user?: { username?: unknown } }).user;
  return typeof user?.username === 'string' && user.username !== '' ? user.username : 'anonymous';
}
