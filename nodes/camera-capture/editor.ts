RED.nodes.registerType('camera-capture', {
  category: 'inspection',
  color: '#3FADB5',
  icon: 'camera-capture.svg',
  inputs: 1,
  outputs: 1,
  defaults: {
    version: { value: 1 },
    name: { value: '' },
    station: { value: '', type: 'inspection-station', required: true },
    source: { value: 'simulator' },
    simulatorProduct: { value: 'plate' },
    simulatorDefectPercent: {
      value: 10,
      validate(value: string) {
        return this.source !== 'simulator' || (value !== '' && Number(value) >= 0 && Number(value) <= 100);
      },
    },
    simulatorDefects: {
      value: '',
      validate(value: string) {
        return /^\s*((fracture|stain|misalignment|scratch)\s*(,\s*(?=\w)|$))*$/.test(value);
      },
    },
    simulatorSeed: {
      value: 1,
      validate(value: string) {
        return this.source !== 'simulator' || /^\d{1,10}$/.test(String(value));
      },
    },
    folder: {
      value: '',
      validate(value: string) {
        return this.source !== 'folder' || value.trim() !== '';
      },
    },
    folderMode: { value: 'step' },
    folderLoop: { value: true },
    folderExisting: { value: false },
    folderPolling: { value: false },
    allowUntrustedCertificate: { value: false },
    url: {
      value: '',
      validate(value: string) {
        return this.source !== 'http' || /^https?:\/\/\S+$/.test(value);
      },
    },
    rtspUrl: {
      value: '',
      validate(value: string) {
        return this.source !== 'rtsp' || /^rtsps?:\/\/\S+$/.test(value);
      },
    },
    device: {
      value: '/dev/video0',
      validate(value: string) {
        return this.source !== 'usb' || value.trim() !== '';
      },
    },
    captureSize: { value: '1280x720' },
    ffmpegPath: { value: 'ffmpeg' },
    browserCamera: {
      value: 'camera-1',
      validate(value: string) {
        return this.source !== 'browser' || value.trim() !== '';
      },
    },
    timeout: {
      value: 3000,
      validate(value: string) {
        return Number(value) >= 100 && Number(value) <= 60000;
      },
    },
    partTypeFrom: { value: 'message' },
    partType: {
      value: 'part',
      required: true,
      validate: RED.validators.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
    },
    deadline: {
      value: '',
      validate(value: string) {
        return value === '' || (Number(value) >= 100 && Number(value) <= 600000);
      },
    },
    queueLength: {
      value: 10,
      validate(value: string) {
        return /^\d{1,4}$/.test(String(value)) && Number(value) <= 1000;
      },
    },
    acceptUploads: { value: false },
  },
  credentials: {
    user: { type: 'text' },
    password: { type: 'password' },
  },
  label() {
    return this.name || this._('camera-capture.paletteLabel');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  paletteLabel() {
    return this._('camera-capture.paletteLabel');
  },
  outputLabels() {
    return this._('camera-capture.output.picture');
  },
  oneditprepare() {
    const showSource = () => {
      const source = $('#node-input-source').val();
      $('.source-row').hide();
      $(`.source-${source}`).show();
      const otherMode = $('#node-input-folderMode').val() === 'watch' ? 'step' : 'watch';
      $(`.source-folder-${otherMode}`).hide();
    };
    $('#node-input-source, #node-input-folderMode').on('change', showSource);
    showSource();
  },
});
