import type { Formats, Texts } from './texts';
import type { BankDetails } from './types';

type Recipe = BankDetails['recipe'];
type Trial = Recipe['trials'][number];

/** How features become a score, in a few words. */
export function recipeText({ moment, conditioning, scoring }: Trial | Recipe, texts: Texts, formats: Formats): string {
  const { recipe } = texts;
  const score =
    scoring.method === 'top-mean'
      ? recipe.scoring['top-mean'](formats.rate(scoring.share))
      : recipe.scoring[scoring.method];
  return [recipe.moment[moment], recipe.conditioning[conditioning], score].join(' · ');
}

/** The trial that made it, if it was measured. */
export function chosenTrial({ trials, moment, conditioning, scoring }: Recipe): Trial | undefined {
  return trials.find(
    (trial) =>
      trial.moment === moment &&
      trial.conditioning === conditioning &&
      JSON.stringify(trial.scoring) === JSON.stringify(scoring),
  );
}

/** What the chosen recipe reached, beside plain features. Empty when nothing was compared. */
export function effectText(recipe: Recipe, texts: Texts, formats: Formats): string {
  const chosen = chosenTrial(recipe);
  if (recipe.chosen !== 'measured' || chosen === undefined || recipe.trials.length < 2) return '';
  const { trials } = recipe;
  const plain =
    trials.find(({ conditioning, scoring }) => conditioning === 'none' && scoring.method === 'max') ?? trials[0];
  const effect = texts.recipe.effect(formats.auroc(chosen.auroc), formats.auroc(plain.auroc), trials.length);
  const isBehind = trials.some(({ auroc }) => auroc > chosen.auroc);
  return isBehind ? `${effect} ${texts.recipe.kept}` : effect;
}
