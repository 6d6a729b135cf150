function isWithin(value: string, low: number, high: number, blankAllowed = false): boolean {
  if (String(value).trim() === '') return blankAllowed;
  return Number(value) >= low && Number(value) <= high;
}

function isJsonObject(text: string): boolean {
  if (String(text).trim() === '') return true;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** Shows the fields that count for the kind of model and for the policy chosen. */
function showFields(): void {
  const policy = String($('#node-input-policy').val());
  $('.retrain-trigger-automatic').toggle(policy === 'automatic');
  $('.retrain-trigger-patchcore').toggle(String($('#node-input-kind').val()) === 'patchcore');
}

RED.nodes.registerType('retrain-trigger', {
  category: 'inspection',
  color: '#3FADB5',
  icon: 'retrain-trigger.svg',
  inputs: 1,
  outputs: 4,
  defaults: {
    version: { value: 1 },
    name: { value: '' },
    station: { value: '', type: 'inspection-station', required: true },
    partType: { value: '', required: true, validate: RED.validators.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/) },
    kind: { value: 'patchcore' },
    labels: {
      value: 20,
      validate(value: string) {
        return isWithin(value, 1, 1_000_000, true);
      },
    },
    drift: { value: true },
    cron: { value: '', validate: RED.validators.regex(/^\s*(\S+(\s+\S+){4})?\s*$/) },
    timeZone: { value: '', validate: RED.validators.regex(/^\s*[A-Za-z0-9_+/-]*\s*$/) },
    minimumInterval: {
      value: 60,
      validate(value: string) {
        return isWithin(value, 0, 527_040);
      },
    },
    quietHours: {
      value: '',
      validate: RED.validators.regex(
        /^\s*((([01]?\d|2[0-3]):[0-5]\d\s*-\s*([01]?\d|2[0-3]):[0-5]\d)(\s*,\s*([01]?\d|2[0-3]):[0-5]\d\s*-\s*([01]?\d|2[0-3]):[0-5]\d)*)?\s*$/,
      ),
    },
    policy: { value: 'manual' },
    maxWorse: {
      value: 1,
      validate(value: string) {
        return isWithin(value, 0, 100);
      },
    },
    shadow: {
      value: 200,
      validate(value: string) {
        return isWithin(value, 0, 1000);
      },
    },
    learn: { value: 'add' },
    options: {
      value: '',
      validate(value: string) {
        return isJsonObject(value);
      },
    },
    priority: {
      value: 0,
      validate(value: string) {
        return isWithin(value, -10, 10);
      },
    },
  },
  label() {
    return this.name || this._('retrain-trigger.paletteLabel');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  paletteLabel() {
    return this._('retrain-trigger.paletteLabel');
  },
  outputLabels(index: number) {
    return this._(`retrain-trigger.output.${['progress', 'candidate', 'deployed', 'failed'][index]}`);
  },
  oneditprepare() {
    $('#node-input-policy, #node-input-kind').on('change', showFields);
    showFields();
  },
});
