// Who may log in, all with the password "password".
export const password = 'password';

const users = {
  jane: {
    name: 'Jane Doe', given_name: 'Jane', family_name: 'Doe', locale: 'en-GB',
    email: 'jane@example.com', email_verified: true,
  },
  // Names that break whatever takes UTF-8 for Latin-1, or counts a character as a byte.
  zoe: {
    name: 'Zoë Łukasiewicz-Ñandú 東京 🦊', given_name: 'Zoë', family_name: 'Łukasiewicz-Ñandú 東京 🦊',
    locale: 'fr-FR', email: 'zoe@exämple.example', email_verified: true,
  },
};

export const known = (login) => Object.hasOwn(users, login);

export function findAccount(fillerChars) {
  return async (_ctx, id) => known(id) ? {
    accountId: id,
    claims: async () => ({
      sub: id,
      preferred_username: id,
      ...users[id],
      ...(fillerChars ? { filler: 'x'.repeat(fillerChars) } : undefined),
    }),
  } : undefined;
}
