/** The questions before a version goes into production. */
import { gateText } from './figures';
import type { Formats, Texts } from './texts';
import type { ModelVersion, Reason } from './types';

/** What asks; see ConfirmDialog. */
interface Asking {
  prompt(
    text: string,
    more: string,
    confirm: string,
    field: { readonly label: string; readonly hint: string; readonly kind: 'line' },
  ): Promise<string | null>;
}

/** The part type, and the kind where it is not plain. */
export function modelTitle({ partType, kind }: Pick<ModelVersion, 'partType' | 'kind'>, texts: Texts): string {
  return kind === 'patchcore' ? partType : `${partType} · ${texts.kinds[kind]}`;
}

/**
 * Asks whether a version shall go into production; a refused one with what the gate said.
 *
 * @returns the reason a person gave, which may be empty; null when it shall not
 */
export async function askToDeploy(
  dialog: Asking | null,
  version: ModelVersion,
  reasons: readonly Reason[],
  texts: Texts,
  formats: Formats,
): Promise<string | null> {
  const { training, gate } = texts;
  const refused = isRefused(version);
  const hint = refused
    ? [gate.warning, ...reasons.map((reason) => gateText(reason, texts, formats))].join(' ')
    : training.confirmDeployHint;
  const label = refused ? gate.deployAnyway : training.deployVersion;
  const question = training.confirmDeploy(modelTitle(version, texts), version.version);
  return (await dialog?.prompt(question, hint, label, reasonField(texts))) ?? null;
}

/** The gate let it not into production: at its training, or when it was compared. */
export function isRefused({ accepted, gate }: ModelVersion): boolean {
  return accepted === false || gate?.accepted === false;
}

/** Asks whether to go back to the version before, `target`; answers as `askToDeploy` does. */
export async function askToRollBack(
  dialog: Asking | null,
  now: ModelVersion,
  target: string,
  texts: Texts,
): Promise<string | null> {
  const { confirmRollBack, confirmDeployHint, rollBack } = texts.training;
  const question = confirmRollBack(modelTitle(now, texts), target);
  return (await dialog?.prompt(question, confirmDeployHint, rollBack, reasonField(texts))) ?? null;
}

function reasonField({ registry }: Texts) {
  return { label: registry.reason, hint: registry.reasonHint, kind: 'line' } as const;
}
