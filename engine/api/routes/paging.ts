import { z } from 'zod';

export const limit = z.coerce.number().int().min(1).max(500).default(50);
export const cursor = z.string().min(1).max(256).optional().meta({ description: 'nextCursor of the page before' });
