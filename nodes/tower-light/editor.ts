RED.nodes.registerType('tower-light', {
  category: 'inspection',
  color: '#3FADB5',
  icon: 'tower-light.svg',
  inputs: 1,
  outputs: 1,
  defaults: {
    version: { value: 1 },
    name: { value: '' },
    profile: { value: 'coils' },
    plc: {
      value: '',
      type: 'plc-connection',
      required: false,
      validate(value: string) {
        return this.profile === 'messages' || RED.nodes.node(value) !== null;
      },
    },
    unit: {
      value: '',
      validate(value: string) {
        return (
          this.profile === 'messages' ||
          value === '' ||
          (Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 255)
        );
      },
    },
    station: { value: '', type: 'inspection-station', required: false },
    coilGreen: {
      value: 0,
      validate(value: string) {
        return (
          this.profile !== 'coils' ||
          value === '' ||
          (Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 65535)
        );
      },
    },
    coilRed: {
      value: 1,
      validate(value: string) {
        return (
          this.profile !== 'coils' ||
          value === '' ||
          (Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 65535)
        );
      },
    },
    coilYellow: {
      value: 2,
      validate(value: string) {
        return (
          this.profile !== 'coils' ||
          value === '' ||
          (Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 65535)
        );
      },
    },
    coilBlue: {
      value: 3,
      validate(value: string) {
        return (
          this.profile !== 'coils' ||
          value === '' ||
          (Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 65535)
        );
      },
    },
    coilBuzzer: {
      value: 4,
      validate(value: string) {
        return (
          this.profile !== 'coils' ||
          value === '' ||
          (Number.isInteger(Number(value)) && Number(value) >= 0 && Number(value) <= 65535)
        );
      },
    },
    tierGreen: {
      value: 3,
      validate(value: string) {
        return (
          this.profile !== 'patlite' ||
          value === '' ||
          (Number.isInteger(Number(value)) && Number(value) >= 1 && Number(value) <= 5)
        );
      },
    },
    tierRed: {
      value: 1,
      validate(value: string) {
        return (
          this.profile !== 'patlite' ||
          value === '' ||
          (Number.isInteger(Number(value)) && Number(value) >= 1 && Number(value) <= 5)
        );
      },
    },
    tierYellow: {
      value: 2,
      validate(value: string) {
        return (
          this.profile !== 'patlite' ||
          value === '' ||
          (Number.isInteger(Number(value)) && Number(value) >= 1 && Number(value) <= 5)
        );
      },
    },
    tierBlue: {
      value: 4,
      validate(value: string) {
        return (
          this.profile !== 'patlite' ||
          value === '' ||
          (Number.isInteger(Number(value)) && Number(value) >= 1 && Number(value) <= 5)
        );
      },
    },
    buzzerPattern: {
      value: 1,
      validate(value: string) {
        return (
          this.profile !== 'patlite' ||
          value === '' ||
          (Number.isInteger(Number(value)) && Number(value) >= 1 && Number(value) <= 3)
        );
      },
    },
    registerGreenAddress: {
      value: 0,
      validate(value: string) {
        return (
          this.profile !== 'registers' || value === '' || (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerGreenOff: {
      value: 0,
      validate(value: string) {
        return (
          this.profile !== 'registers' ||
          this.registerGreenAddress === '' ||
          (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerGreenOn: {
      value: 1,
      validate(value: string) {
        return (
          this.profile !== 'registers' ||
          this.registerGreenAddress === '' ||
          (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerGreenFlashing: {
      value: '',
      validate(value: string) {
        return (
          this.profile !== 'registers' || value === '' || (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerRedAddress: {
      value: 1,
      validate(value: string) {
        return (
          this.profile !== 'registers' || value === '' || (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerRedOff: {
      value: 0,
      validate(value: string) {
        return (
          this.profile !== 'registers' ||
          this.registerRedAddress === '' ||
          (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerRedOn: {
      value: 1,
      validate(value: string) {
        return (
          this.profile !== 'registers' ||
          this.registerRedAddress === '' ||
          (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerRedFlashing: {
      value: '',
      validate(value: string) {
        return (
          this.profile !== 'registers' || value === '' || (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerYellowAddress: {
      value: 2,
      validate(value: string) {
        return (
          this.profile !== 'registers' || value === '' || (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerYellowOff: {
      value: 0,
      validate(value: string) {
        return (
          this.profile !== 'registers' ||
          this.registerYellowAddress === '' ||
          (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerYellowOn: {
      value: 1,
      validate(value: string) {
        return (
          this.profile !== 'registers' ||
          this.registerYellowAddress === '' ||
          (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerYellowFlashing: {
      value: '',
      validate(value: string) {
        return (
          this.profile !== 'registers' || value === '' || (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerBlueAddress: {
      value: 3,
      validate(value: string) {
        return (
          this.profile !== 'registers' || value === '' || (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerBlueOff: {
      value: 0,
      validate(value: string) {
        return (
          this.profile !== 'registers' ||
          this.registerBlueAddress === '' ||
          (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerBlueOn: {
      value: 1,
      validate(value: string) {
        return (
          this.profile !== 'registers' ||
          this.registerBlueAddress === '' ||
          (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerBlueFlashing: {
      value: '',
      validate(value: string) {
        return (
          this.profile !== 'registers' || value === '' || (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerBuzzerAddress: {
      value: 4,
      validate(value: string) {
        return (
          this.profile !== 'registers' || value === '' || (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerBuzzerOff: {
      value: 0,
      validate(value: string) {
        return (
          this.profile !== 'registers' ||
          this.registerBuzzerAddress === '' ||
          (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    registerBuzzerOn: {
      value: 1,
      validate(value: string) {
        return (
          this.profile !== 'registers' ||
          this.registerBuzzerAddress === '' ||
          (/^\d{1,5}$/.test(String(value)) && Number(value) <= 65535)
        );
      },
    },
    holdSeconds: {
      value: 0,
      validate(value: string) {
        return value !== '' && Number(value) >= 0 && Number(value) <= 86400;
      },
    },
    idle: { value: 'off' },
    failSafe: { value: 'red' },
    afterLoss: { value: 'fail-safe' },
    buzzer: { value: 'never' },
    buzzerSeconds: {
      value: 3,
      validate(value: string) {
        return value !== '' && Number(value) >= 0 && Number(value) <= 600;
      },
    },
    refreshSeconds: {
      value: 10,
      validate(value: string) {
        return this.profile === 'messages' || (value !== '' && Number(value) >= 0 && Number(value) <= 3600);
      },
    },
  },
  label() {
    return this.name || this._('tower-light.paletteLabel');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  paletteLabel() {
    return this._('tower-light.paletteLabel');
  },
  outputLabels() {
    return this._('tower-light.output.lamps');
  },
  oneditprepare() {
    const showProfile = () => {
      const profile = $('#node-input-profile').val();
      $('.lamp-row').hide();
      $(`.lamp-${profile}`).show();
      $('.lamp-device').toggle(profile !== 'messages');
    };
    $('#node-input-profile').on('change', showProfile);
    showProfile();
  },
});
