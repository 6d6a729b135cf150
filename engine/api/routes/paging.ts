import { z } from 'zod';

export const limit = z.coerce.number().int().min(1).max(500).default(50);
export const cursor = z
  .string()
  .regex(/^[0-9A-Za-z]{1,64}$/, 'is no cursor: use nextCursor of the page before')
  .optional()
  .meta({ description: 'nextCursor of the page before' });
