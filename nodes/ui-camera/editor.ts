RED.nodes.registerType('ui-camera', {
  category: 'inspection',
  color: '#3FADB5',
  icon: 'ui-camera.svg',
  inputs: 0,
  outputs: 1,
  defaults: {
    version: { value: 1 },
    name: { value: '' },
    group: { value: '', type: 'ui-group', required: true },
    order: { value: 0 },
    width: { value: 0 },
    height: { value: 0 },
    station: { value: '', type: 'inspection-station', required: true },
    language: { value: 'auto' },
    camera: { value: 'camera-1', required: true },
    partType: { value: '', validate: RED.validators.regex(/^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$/) },
  },
  label() {
    return this.name || this._('ui-camera.paletteLabel');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  paletteLabel() {
    return this._('ui-camera.paletteLabel');
  },
  outputLabels() {
    return this._('ui-camera.output.message');
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
