RED.nodes.registerType('plc-trigger', {
  category: 'inspection',
  color: '#3FADB5',
  icon: 'plc-trigger.svg',
  inputs: 0,
  outputs: 1,
  defaults: {
    version: { value: 1 },
    name: { value: '' },
    plc: { value: '', type: 'plc-connection', required: true },
    station: { value: '', type: 'inspection-station', required: false },
    unit: {
      value: '',
      validate(value: string) {
        return value === '' || (Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 255);
      },
    },
    signal: { value: 'sequence' },
    address: {
      value: 0,
      validate(value: string) {
        return String(value) !== '' && Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 65535;
      },
    },
    sequenceType: { value: 'uint16' },
    resetCoil: { value: true },
    partTypeFrom: { value: 'number' },
    partTypeAddress: {
      value: 1,
      validate(value: string) {
        return (
          this.partTypeFrom === 'none' ||
          (String(value) !== '' && Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 65535)
        );
      },
    },
    partTypeLength: {
      value: 8,
      validate(value: string) {
        return (
          this.partTypeFrom !== 'text' ||
          (String(value) !== '' && Number.isInteger(Number(value)) && Number(value) >= 1 && Number(value) <= 60)
        );
      },
    },
    partTypes: {
      value: '',
      validate(value: string) {
        return (
          this.partTypeFrom !== 'number' ||
          /^\s*(\d{1,5}\s*=\s*[A-Za-z0-9][A-Za-z0-9._-]{0,63}\s*(,\s*(?=\d)|$))*$/.test(value)
        );
      },
    },
    serialAddress: {
      value: 2,
      validate(value: string) {
        return value === '' || (Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 65535);
      },
    },
    serialLength: {
      value: 10,
      validate(value: string) {
        return String(value) !== '' && Number.isInteger(Number(value)) && Number(value) >= 1 && Number(value) <= 60;
      },
    },
    acknowledgeAddress: {
      value: 12,
      validate(value: string) {
        return value === '' || (Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 65535);
      },
    },
    resultAddress: {
      value: 21,
      validate(value: string) {
        return value === '' || (Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 65535);
      },
    },
    pollInterval: {
      value: 100,
      validate(value: string) {
        return String(value) !== '' && Number.isInteger(Number(value)) && Number(value) >= 10 && Number(value) <= 60000;
      },
    },
    wordOrder: { value: 'big' },
    byteOrder: { value: 'big' },
  },
  label() {
    return this.name || this._('plc-trigger.paletteLabel');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  paletteLabel() {
    return this._('plc-trigger.paletteLabel');
  },
  outputLabels() {
    return this._('plc-trigger.output.trigger');
  },
  oneditprepare() {
    const showRows = () => {
      const signal = $('#node-input-signal').val();
      const partType = $('#node-input-partTypeFrom').val();
      $('.trigger-sequence').toggle(signal === 'sequence');
      $('.trigger-coil').toggle(signal === 'coil');
      $('.trigger-part-type').toggle(partType !== 'none');
      $('.trigger-part-text').toggle(partType === 'text');
      $('.trigger-part-number').toggle(partType === 'number');
    };
    $('#node-input-signal, #node-input-partTypeFrom').on('change', showRows);
    showRows();
  },
});
