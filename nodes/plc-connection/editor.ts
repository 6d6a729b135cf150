RED.nodes.registerType('plc-connection', {
  category: 'config',
  color: '#3FADB5',
  defaults: {
    version: { value: 1 },
    name: { value: '' },
    transport: { value: 'tcp' },
    host: {
      value: '127.0.0.1',
      validate(value: string) {
        return this.transport !== 'tcp' || value.trim() !== '';
      },
    },
    port: {
      value: 502,
      validate(value: string) {
        return (
          this.transport !== 'tcp' ||
          (String(value) !== '' && Number.isInteger(Number(value)) && Number(value) >= 1 && Number(value) <= 65535)
        );
      },
    },
    serialPort: {
      value: '/dev/ttyUSB0',
      validate(value: string) {
        return this.transport !== 'rtu' || value.trim() !== '';
      },
    },
    baudRate: {
      value: 19200,
      validate(value: string) {
        return (
          this.transport !== 'rtu' ||
          (String(value) !== '' && Number.isInteger(Number(value)) && Number(value) >= 300 && Number(value) <= 1000000)
        );
      },
    },
    dataBits: { value: 8 },
    stopBits: { value: 1 },
    parity: { value: 'even' },
    unit: {
      value: 1,
      validate(value: string) {
        return String(value) !== '' && Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 255;
      },
    },
    responseTimeout: {
      value: 1000,
      validate(value: string) {
        return String(value) !== '' && Number.isInteger(Number(value)) && Number(value) >= 20 && Number(value) <= 60000;
      },
    },
    connectTimeout: {
      value: 3000,
      validate(value: string) {
        return (
          String(value) !== '' && Number.isInteger(Number(value)) && Number(value) >= 100 && Number(value) <= 60000
        );
      },
    },
    reconnectMin: {
      value: 500,
      validate(value: string) {
        return (
          String(value) !== '' && Number.isInteger(Number(value)) && Number(value) >= 10 && Number(value) <= 600000
        );
      },
    },
    reconnectMax: {
      value: 30000,
      validate(value: string) {
        return Number.isInteger(Number(value)) && Number(value) >= Number(this.reconnectMin) && Number(value) <= 600000;
      },
    },
  },
  label() {
    if (this.name) return this.name;
    return this.transport === 'rtu' ? String(this.serialPort) : `${this.host}:${this.port}`;
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  oneditprepare() {
    const showTransport = () => {
      $('.plc-row').hide();
      $(`.plc-${$('#node-config-input-transport').val()}`).show();
    };
    $('#node-config-input-transport').on('change', showTransport);
    showTransport();
  },
});
