RED.nodes.registerType('ui-review-queue', {
  category: 'inspection',
  color: '#3FADB5',
  icon: 'ui-review-queue.svg',
  inputs: 0,
  outputs: 0,
  defaults: {
    version: { value: 1 },
    name: { value: '' },
    group: { value: '', type: 'ui-group', required: true },
    order: { value: 0 },
    width: { value: 0 },
    height: { value: 0 },
    station: { value: '', type: 'inspection-station', required: true },
    language: { value: 'auto' },
    millimetresPerPixel: {
      value: '',
      validate: (value: string) => String(value).trim() === '' || Number(value) > 0,
    },
  },
  label() {
    return this.name || this._('ui-review-queue.paletteLabel');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  paletteLabel() {
    return this._('ui-review-queue.paletteLabel');
  },
  oneditprepare() {
    // Comes with the dashboard; inside a subflow there is no group to measure against.
    const size = $('#node-input-size');
    if (typeof size.elementSizer !== 'function' || RED.nodes.subflow(this.z)) {
      size.closest('.form-row').hide();
      return;
    }
    size.elementSizer({ width: '#node-input-width', height: '#node-input-height', group: '#node-input-group' });
  },
});
