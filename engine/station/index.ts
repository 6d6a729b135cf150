export { BrowserCameras, BrowserCameraUnavailable, type CameraRequest } from './browser-cameras';
export { NoModel, UnknownInspection } from './errors';
export { Intake, type IntakeHandler, NoIntake, type Submission } from './intake';
export { InspectionLedger, type LedgerOptions, type OpenInspection } from './ledger';
export { openStation } from './open-station';
export type { Outlet } from './outlets';
export { asInspection } from './recovery';
export type * from './types';
