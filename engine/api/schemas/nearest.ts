import { z } from 'zod';
import { box, named, url } from './common';

export const similarPicture = named(
  'SimilarPicture',
  z.object({
    model: z
      .object({ name: z.string(), version: z.string() })
      .meta({ description: 'The version that scored the part' }),
    distance: z.number().meta({ description: 'Of the two places, in the unit of the scores' }),
    /** The worst one, in pixels of the picture. */
    place: box,
    source: z.object({
      index: z.int().meta({ description: 'Number of the picture in the version' }),
      name: z.string(),
      width: z.int().meta({ description: 'Pixels of the picture as it was learnt' }),
      height: z.int(),
      /** The most similar one, in pixels of the picture as it was learnt. */
      place: box,
      pictureUrl: url.nullable().meta({ description: 'A copy of it, mostly smaller; null when none is kept' }),
    }),
  }),
);
