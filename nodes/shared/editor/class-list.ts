/** A choice in a row of a list of classes. */
export interface ClassChoice {
  readonly value: string;
  readonly text: string;
}

/** One class of the list, with what is set for it. */
export type ClassRow = Readonly<Record<string, string>>;

export interface ClassListTexts {
  /** Placeholder of the field for the name of the class. */
  readonly label: string;
  /** Placeholder of the field for its confidence; without it there is none. */
  readonly confidence?: string;
}

/**
 * Makes `<ol>` a list of classes to edit: a name, perhaps a confidence, and a choice what the class means.
 *
 * @param selector of the `<ol>`
 * @param choice   property of a row that holds the choice
 */
export function showClassList(
  selector: string,
  rows: unknown,
  choice: string,
  choices: readonly ClassChoice[],
  texts: ClassListTexts,
): void {
  const list = $(selector).css({ 'min-height': '110px', 'min-width': '300px' });
  list.editableList({
    removable: true,
    sortable: false,
    addItem(row, _index, data) {
      const line = $('<div/>').css({ display: 'flex', gap: '6px' }).appendTo(row);
      const name = $('<input/>', { type: 'text', placeholder: texts.label, class: 'class-label' });
      name
        .css({ flex: '2', width: 'auto' })
        .val(String(data.label ?? ''))
        .appendTo(line);
      if (texts.confidence !== undefined) {
        const confidence = $('<input/>', { type: 'number', min: 0, max: 1, step: 0.01, class: 'class-confidence' });
        confidence.attr('placeholder', texts.confidence).css({ flex: '1', width: 'auto' });
        confidence.val(String(data.confidence ?? '')).appendTo(line);
      }
      const select = $('<select/>', { class: 'class-choice' }).css({ flex: '1', width: 'auto' }).appendTo(line);
      for (const { value, text } of choices) $('<option/>', { value }).text(text).appendTo(select);
      select.val(String(data[choice] ?? choices[0].value));
    },
  });
  list.editableList('addItems', Array.isArray(rows) ? [...rows] : []);
}

/** The classes of the list, those without a name left out. */
export function readClassList(selector: string, choice: string): ClassRow[] {
  return $(selector)
    .editableList('items')
    .toArray()
    .map((item) => $(item))
    .map((item) => ({
      label: String(item.find('.class-label').val()).trim(),
      ...(item.find('.class-confidence').length > 0 && { confidence: String(item.find('.class-confidence').val()) }),
      [choice]: String(item.find('.class-choice').val()),
    }))
    .filter(({ label }) => label !== '');
}
