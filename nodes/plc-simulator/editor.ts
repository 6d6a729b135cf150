RED.nodes.registerType('plc-simulator', {
  category: 'inspection',
  color: '#3FADB5',
  icon: 'plc-simulator.svg',
  inputs: 1,
  outputs: 2,
  defaults: {
    version: { value: 1 },
    name: { value: '' },
    host: { value: '127.0.0.1' },
    port: {
      value: 1502,
      validate(value: string) {
        return String(value) !== '' && Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 65535;
      },
    },
    cycle: { value: true },
    cycleSeconds: {
      value: 5,
      validate(value: string) {
        return value !== '' && Number(value) >= 0.05 && Number(value) <= 3600;
      },
    },
    resultTimeout: {
      value: 10,
      validate(value: string) {
        return value !== '' && Number(value) >= 0.1 && Number(value) <= 3600;
      },
    },
    partType: {
      value: 1,
      validate(value: string) {
        return String(value) !== '' && Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 65535;
      },
    },
    serialPrefix: {
      value: 'SIM-',
      validate(value: string) {
        return /^[\x20-\x7e]{0,14}$/.test(value);
      },
    },
  },
  label() {
    return this.name || this._('plc-simulator.paletteLabel');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  paletteLabel() {
    return this._('plc-simulator.paletteLabel');
  },
  outputLabels(index) {
    return index === 0 ? this._('plc-simulator.output.results') : this._('plc-simulator.output.lamps');
  },
});
