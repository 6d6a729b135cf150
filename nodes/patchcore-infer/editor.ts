RED.nodes.registerType('patchcore-infer', {
  category: 'inspection',
  color: '#3FADB5',
  icon: 'patchcore-infer.svg',
  inputs: 1,
  outputs: 2,
  defaults: {
    version: { value: 1 },
    name: { value: '' },
    station: { value: '', type: 'inspection-station', required: true },
    references: { value: '' },
    partType: { value: '', validate: RED.validators.regex(/^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$/) },
  },
  label() {
    return this.name || this._('patchcore-infer.paletteLabel');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  paletteLabel() {
    return this._('patchcore-infer.paletteLabel');
  },
  outputLabels(index: number) {
    return this._(`patchcore-infer.output.${index === 0 ? 'picture' : 'training'}`);
  },
});
