RED.nodes.registerType('inspection-station', {
  category: 'config',
  color: '#3FADB5',
  defaults: {
    version: { value: 1 },
    name: { value: '' },
    dataFolder: { value: '' },
    databaseFile: {
      value: '',
      validate(value: string) {
        return /^[^/\\]*$/.test(value);
      },
    },
    trainingFolders: { value: '' },
    externalTrainer: { value: '' },
    failSafe: { value: 'NG' },
    deadline: {
      value: 5000,
      required: true,
      validate(value: string) {
        return Number(value) >= 100 && Number(value) <= 600000;
      },
    },
    shiftStarts: {
      value: '06:00, 14:00, 22:00',
      validate(value: string) {
        return /^\s*(([01]\d|2[0-3]):[0-5]\d\s*(,\s*(?=\d)|$))*$/.test(value);
      },
    },
    secondPerson: { value: false },
    gatePictures: {
      value: 200,
      validate(value: string | undefined) {
        // stations saved by an earlier release have none, and get the default
        return value === undefined || /^\s*(\d{1,3}|1000)\s*$/.test(value);
      },
    },
    retentionOkDays: { value: '', validate: RED.validators.regex(/^(\d+(\.\d+)?)?$/) },
    retentionOkMb: { value: '', validate: RED.validators.regex(/^(\d+(\.\d+)?)?$/) },
    retentionNgDays: { value: '', validate: RED.validators.regex(/^(\d+(\.\d+)?)?$/) },
    retentionNgMb: { value: '', validate: RED.validators.regex(/^(\d+(\.\d+)?)?$/) },
    retentionReviewDays: { value: '', validate: RED.validators.regex(/^(\d+(\.\d+)?)?$/) },
    retentionReviewMb: { value: '', validate: RED.validators.regex(/^(\d+(\.\d+)?)?$/) },
    poolSize: {
      value: 1,
      required: true,
      validate(value: string) {
        return Number.isInteger(Number(value)) && Number(value) >= 1 && Number(value) <= 16;
      },
    },
    queueLimit: {
      value: 64,
      required: true,
      validate(value: string) {
        return Number.isInteger(Number(value)) && Number(value) >= 1 && Number(value) <= 10000;
      },
    },
    queuePolicy: { value: 'reject' },
    memoryCapMb: {
      value: 1024,
      required: true,
      validate(value: string) {
        return Number(value) >= 64 && Number(value) <= 65536;
      },
    },
    importLimitMb: {
      value: 2048,
      validate(value: string | undefined) {
        // stations saved by an earlier release have none, and get the default
        return value === undefined || (Number(value) >= 1 && Number(value) <= 65536);
      },
    },
  },
  credentials: {
    modelKey: { type: 'password' },
  },
  oneditprepare() {
    if (this.gatePictures === undefined) $('#node-config-input-gatePictures').val(200);
    if (this.importLimitMb === undefined) $('#node-config-input-importLimitMb').val(2048);
  },
  label() {
    return this.name || this._('inspection-station.defaultName');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
});
