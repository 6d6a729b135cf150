/** The format of PatchCore manifests that is written. Format 1 is read, too. */
export const MANIFEST_FORMAT = 2;
/** The format of detector and classifier manifests, which releases before them do not know. */
export const CLASSES_FORMAT = 3;
/** Newer ones are refused. */
export const NEWEST_FORMAT = CLASSES_FORMAT;
