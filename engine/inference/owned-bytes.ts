/**
 * Views on received messages share the message's memory, so that a kept thumbnail would keep the whole message alive. Gives
 * every view that is small beside its memory a memory of its own, in place; looks into plain objects and arrays.
 */
export function ownBytes(value: unknown): unknown {
  if (ArrayBuffer.isView(value)) return isSmallPart(value) ? copy(value) : value;
  if (Array.isArray(value)) {
    value.forEach((item, index) => {
      if (isObject(item)) value[index] = ownBytes(item);
    });
  } else if (isPlain(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (isObject(item)) value[key] = ownBytes(item);
    }
  }
  return value;
}

function isSmallPart(view: ArrayBufferView): boolean {
  return view.byteLength * 2 < view.buffer.byteLength;
}

function copy(view: ArrayBufferView): ArrayBufferView {
  if (Buffer.isBuffer(view)) return Buffer.from(new Uint8Array(view).buffer);
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice().buffer;
  const View = view.constructor as new (buffer: ArrayBuffer) => ArrayBufferView;
  return new View(bytes);
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return isObject(value) && Object.getPrototypeOf(value) === Object.prototype;
}
