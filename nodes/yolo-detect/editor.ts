import { readClassList, showClassList } from '../shared/editor/class-list';

const CLASSES = '#node-input-classes-container';

function isWithin(value: string, low: number, high: number): boolean {
  return String(value).trim() !== '' && Number(value) >= low && Number(value) <= high;
}

RED.nodes.registerType('yolo-detect', {
  category: 'inspection',
  color: '#3FADB5',
  icon: 'yolo-detect.svg',
  inputs: 1,
  outputs: 2,
  defaults: {
    version: { value: 1 },
    name: { value: '' },
    station: { value: '', type: 'inspection-station', required: true },
    partType: { value: '', validate: RED.validators.regex(/^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$/) },
    model: { value: '', validate: RED.validators.regex(/^(.+\.onnx)?$/i) },
    confidence: {
      value: '',
      validate(value: string) {
        return value === '' || isWithin(value, 0, 1);
      },
    },
    classes: { value: [] },
    iou: {
      value: '',
      validate(value: string) {
        return value === '' || isWithin(value, 0, 1);
      },
    },
    roi: {
      value: '',
      validate(value: string) {
        if (value.trim() === '') return true;
        const [x, y, width, height, ...more] = value
          .split(',')
          .map((part) => (part.trim() === '' ? NaN : Number(part)));
        return more.length === 0 && x >= 0 && y >= 0 && width > 0 && height > 0 && x + width <= 1 && y + height <= 1;
      },
    },
    tileColumns: {
      value: 1,
      validate(value: string) {
        return isWithin(value, 1, 8) && Number.isInteger(Number(value));
      },
    },
    tileRows: {
      value: 1,
      validate(value: string) {
        return isWithin(value, 1, 8) && Number.isInteger(Number(value));
      },
    },
    tileOverlap: {
      value: 20,
      validate(value: string) {
        return isWithin(value, 0, 50);
      },
    },
  },
  label() {
    return this.name || this._('yolo-detect.paletteLabel');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  paletteLabel() {
    return this._('yolo-detect.paletteLabel');
  },
  outputLabels(index: number) {
    return this._(`yolo-detect.output.${index === 0 ? 'picture' : 'training'}`);
  },
  oneditprepare() {
    const effects = [
      { value: 'NG', text: this._('yolo-detect.option.effect_NG') },
      { value: 'REVIEW', text: this._('yolo-detect.option.effect_REVIEW') },
      { value: 'ignored', text: this._('yolo-detect.option.effect_ignored') },
    ];
    showClassList(CLASSES, this.classes, 'effect', effects, {
      label: this._('yolo-detect.placeholder.classLabel'),
      confidence: this._('yolo-detect.placeholder.classConfidence'),
    });
  },
  oneditsave() {
    this.classes = readClassList(CLASSES, 'effect');
  },
});
