const QUOTAS = '#node-input-quotas-container';
const QUOTA_REASONS = [
  'near-threshold',
  'low-confidence',
  'disagreement',
  'failure',
  'drift',
  'novel',
  'audit-sample',
  'sent',
];

interface Quota {
  readonly reason: string;
  readonly limit: number | string;
}

function isPercent(value: string): boolean {
  return String(value).trim() !== '' && Number(value) >= 0 && Number(value) <= 100;
}

function isLimit(value: string): boolean {
  return String(value).trim() === '' || (Number.isInteger(Number(value)) && Number(value) >= 0);
}

RED.nodes.registerType('review-queue', {
  category: 'inspection',
  color: '#3FADB5',
  icon: 'review-queue.svg',
  inputs: 1,
  outputs: 2,
  defaults: {
    version: { value: 2 },
    name: { value: '' },
    station: { value: '', type: 'inspection-station', required: true },
    partType: { value: '', validate: RED.validators.regex(/^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$/) },
    nearThreshold: {
      value: 10,
      validate(value: string) {
        return isPercent(value);
      },
    },
    lowConfidence: {
      value: 60,
      validate(value: string) {
        return isPercent(value);
      },
    },
    quotaHour: {
      value: '',
      validate(value: string) {
        return isLimit(value);
      },
    },
    quotaDay: {
      value: '',
      validate(value: string) {
        return isLimit(value);
      },
    },
    quotas: {
      value: [],
      validate(value: unknown) {
        return Array.isArray(value) && value.every(({ limit }: Quota) => isLimit(String(limit)));
      },
    },
    similarLimit: {
      value: 5,
      validate(value: string) {
        return String(value).trim() !== '' && isLimit(value);
      },
    },
  },
  label() {
    return this.name || this._('review-queue.paletteLabel');
  },
  labelStyle() {
    return this.name ? 'node_label_italic' : '';
  },
  paletteLabel() {
    return this._('review-queue.paletteLabel');
  },
  outputLabels(index: number) {
    return this._(`review-queue.output.${index === 0 ? 'decision' : 'queue'}`);
  },
  oneditprepare() {
    const quotas: readonly Quota[] = Array.isArray(this.quotas) ? this.quotas : [];
    for (const reason of QUOTA_REASONS) {
      const id = `review-queue-quota-${reason}`;
      const row = $('<div/>')
        .css({ display: 'flex', 'align-items': 'center', 'margin-bottom': '4px' })
        .appendTo(QUOTAS);
      $('<label/>', { for: id })
        .css({ width: '190px', margin: '0 10px 0 0' })
        .text(this._(`review-queue.reason.${reason}`))
        .appendTo(row);
      $('<input/>', {
        type: 'number',
        id,
        min: 0,
        step: 1,
        'data-reason': reason,
        placeholder: this._('review-queue.placeholder.noLimit'),
      })
        .css({ flex: '1', width: 'auto' })
        .val(String(quotas.find((quota) => quota.reason === reason)?.limit ?? ''))
        .appendTo(row);
    }
  },
  oneditsave() {
    this.quotas = $(`${QUOTAS} input`)
      .toArray()
      .map((input) => ({ reason: String($(input).attr('data-reason')), limit: String($(input).val()).trim() }))
      .filter(({ limit }) => limit !== '');
  },
});
