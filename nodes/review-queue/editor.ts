RED.nodes.registerType('review-queue', {
  category: 'inspection',
  color: '#3FADB5',
  icon: 'review-queue.svg',
  inputs: 1,
  outputs: 2,
  defaults: {
    version: { value: 1 },
    name: { value: '' },
    station: { value: '', type: 'inspection-station', required: true },
    partType: { value: '', validate: RED.validators.regex(/^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$/) },
  },
  label() {
    return this.name || this._('review-queue.paletteLabel');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  paletteLabel() {
    return this._('review-queue.paletteLabel');
  },
  outputLabels(index: number) {
    return this._(`review-queue.output.${index === 0 ? 'decision' : 'queue'}`);
  },
});
