/** What can be asked of a clip. */
export type Task = 'localization' | 'parsing' | 'segmentation';
