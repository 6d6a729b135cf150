import { readClassList, showClassList } from '../shared/editor/class-list';

const VERDICTS = '#node-input-verdicts-container';

RED.nodes.registerType('image-classify', {
  category: 'inspection',
  color: '#3FADB5',
  icon: 'image-classify.svg',
  inputs: 1,
  outputs: 2,
  defaults: {
    version: { value: 1 },
    name: { value: '' },
    station: { value: '', type: 'inspection-station', required: true },
    partType: { value: '', validate: RED.validators.regex(/^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$/) },
    verdicts: { value: [] },
  },
  label() {
    return this.name || this._('image-classify.paletteLabel');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  paletteLabel() {
    return this._('image-classify.paletteLabel');
  },
  outputLabels(index: number) {
    return this._(`image-classify.output.${index === 0 ? 'picture' : 'training'}`);
  },
  oneditprepare() {
    const verdicts = [
      { value: 'OK', text: this._('image-classify.option.verdict_OK') },
      { value: 'NG', text: this._('image-classify.option.verdict_NG') },
      { value: 'REVIEW', text: this._('image-classify.option.verdict_REVIEW') },
    ];
    showClassList(VERDICTS, this.verdicts, 'verdict', verdicts, {
      label: this._('image-classify.placeholder.classLabel'),
    });
  },
  oneditsave() {
    this.verdicts = readClassList(VERDICTS, 'verdict');
  },
});
