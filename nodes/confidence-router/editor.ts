RED.nodes.registerType('confidence-router', {
  category: 'inspection',
  color: '#3FADB5',
  icon: 'confidence-router.svg',
  inputs: 1,
  outputs: 3,
  defaults: {
    version: { value: 1 },
    name: { value: '' },
    station: { value: '', type: 'inspection-station', required: true },
    thresholdsFrom: { value: 'model' },
    accept: {
      value: '',
      validate(value: string) {
        return this.thresholdsFrom !== 'manual' || (value !== '' && Number(value) >= 0);
      },
    },
    reject: {
      value: '',
      validate(value: string, options?: unknown) {
        if (this.thresholdsFrom !== 'manual') return true;
        if (value === '' || !(Number(value) >= 0)) return false;
        if (Number(this.accept) <= Number(value)) return true;
        return options ? this._('confidence-router.validation.order') : false;
      },
    },
    auditPercent: {
      value: 0,
      required: true,
      validate(value: string) {
        return Number(value) >= 0 && Number(value) <= 100;
      },
    },
  },
  label() {
    return this.name || this._('confidence-router.paletteLabel');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  paletteLabel() {
    return this._('confidence-router.paletteLabel');
  },
  outputLabels(index: number) {
    return this._(`confidence-router.output.${['ok', 'ng', 'review'][index]}`);
  },
  oneditprepare() {
    const showThresholds = () => {
      $('.thresholds-manual').toggle($('#node-input-thresholdsFrom').val() === 'manual');
    };
    $('#node-input-thresholdsFrom').on('change', showThresholds);
    showThresholds();
  },
});
