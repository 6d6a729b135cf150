import type { Station, StationOptions } from './types';

export { BrowserCameras, BrowserCameraUnavailable, type CameraRequest } from './browser-cameras';
export { NoModel, StationClosed, UnknownInspection } from './errors';
export { Intake, type IntakeHandler, NoIntake, type Submission } from './intake';
export { InspectionLedger, type OpenInspection, type Outlet } from './ledger';
export type * from './types';
export declare function openStation(options: StationOptions): Promise<Station>;
