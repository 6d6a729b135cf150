RED.nodes.registerType('plc-result', {
  category: 'inspection',
  color: '#3FADB5',
  icon: 'plc-result.svg',
  inputs: 1,
  outputs: 1,
  defaults: {
    version: { value: 1 },
    name: { value: '' },
    plc: { value: '', type: 'plc-connection', required: true },
    unit: {
      value: '',
      validate(value: string) {
        return value === '' || (Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 255);
      },
    },
    station: { value: '', type: 'inspection-station', required: false },
    address: {
      value: 20,
      validate(value: string) {
        return String(value) !== '' && Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 65535;
      },
    },
    sequenceType: { value: 'uint16' },
    wordOrder: { value: 'big' },
    confidence: { value: true },
    sequenceFrom: { value: 'trigger' },
    heartbeat: { value: true },
    heartbeatAddress: {
      value: 30,
      validate(value: string) {
        return (
          !this.heartbeat ||
          (String(value) !== '' && Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 65535)
        );
      },
    },
    heartbeatInterval: {
      value: 1000,
      validate(value: string) {
        return (
          !this.heartbeat ||
          (String(value) !== '' && Number.isInteger(Number(value)) && Number(value) >= 50 && Number(value) <= 60000)
        );
      },
    },
    answerLimit: {
      value: 10,
      validate(value: string) {
        return !this.heartbeat || (value !== '' && Number(value) >= 0.1 && Number(value) <= 3600);
      },
    },
  },
  label() {
    return this.name || this._('plc-result.paletteLabel');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  paletteLabel() {
    return this._('plc-result.paletteLabel');
  },
  outputLabels() {
    return this._('plc-result.output.message');
  },
  oneditprepare() {
    const showHeartbeat = () => {
      $('.result-heartbeat').toggle($('#node-input-heartbeat').is(':checked'));
    };
    $('#node-input-heartbeat').on('change', showHeartbeat);
    showHeartbeat();
  },
});
