export { CaptureQueue, type CaptureQueueEvents } from './capture-queue';
export { CameraUnavailable, FfmpegMissing, FileUnreadable, NoMorePictures, PayloadUnusable } from './errors';
export { type FfmpegSourceOptions, ffmpegSource } from './ffmpeg-source';
export { type FolderSourceOptions, folderSource } from './folder-source';
export type { Frame, FrameSource, FrameSourceEvents, FrameSourceState, FrameSourceStatus } from './frame-source';
export { type HttpSourceOptions, httpSource } from './http-source';
export { payloadToPicture } from './payload';
