import assert from 'node:assert/strict';
import { openApiDocument } from '../../../engine/api';
import { routes } from '../../../engine/api/routes';

type JsonObject = Record<string, unknown>;

describe('the OpenAPI document', () => {
  const document = openApiDocument(routes, '/inspection/api') as JsonObject & {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: JsonObject };
  };
  interface Operation {
    operationId: string;
    parameters: { name: string; in: string; required: boolean; schema: JsonObject }[];
    requestBody?: { content: Record<string, { schema: JsonObject }> };
    responses: Record<string, { description: string; content?: Record<string, { schema: JsonObject }> }>;
  }
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

  it('is of version 3.1 and plain JSON', () => {
    assert.equal(document.openapi, '3.1.0');
    assert.deepEqual(JSON.parse(JSON.stringify(document)), document);
  });

  it('describes every route once', () => {
    assert.equal(operations.length, routes.length);
    assert.equal(new Set(operations.map(({ operation }) => operation.operationId)).size, routes.length);
  });

  it('has only references that resolve', () => {
    const references: string[] = [];
    const walk = (value: unknown): void => {
      if (value === null || typeof value !== 'object') return;
      for (const [key, inner] of Object.entries(value)) {
        if (key === '$ref') references.push(String(inner));
        else walk(inner);
      }
    };
    walk(document);
    assert.ok(references.length > 50);
    for (const reference of references) {
      const place = reference.replace('#/', '').split('/');
      const found = place.reduce<unknown>((at, key) => (at as JsonObject | undefined)?.[key], document);
      assert.ok(found, reference);
    }
  });

  it('names each path parameter of each path', () => {
    for (const { path, operation } of operations) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const described = operation.parameters.filter((parameter) => parameter.in === 'path');
      assert.deepEqual(
        described.map(({ name }) => name),
        inPath,
        path,
      );
      assert.ok(described.every(({ required }) => required));
      assert.equal(
        new Set(operation.parameters.map((parameter) => `${parameter.in} ${parameter.name}`)).size,
        operation.parameters.length,
      );
    }
  });

  it('has a successful answer with a content type for every operation, and problems as problem documents', () => {
    for (const { path, method, operation } of operations) {
      const codes = Object.keys(operation.responses).map(Number);
      const success = codes.filter((code) => code < 300);
      assert.equal(success.length, 1, `${method} ${path}`);
      assert.ok(Object.keys(operation.responses[success[0]].content ?? {}).length > 0, `${method} ${path}`);
      for (const code of codes.filter((value) => value >= 400)) {
        const { description, content } = operation.responses[code];
        assert.ok(description, `${code} of ${method} ${path}`);
        assert.deepEqual(content, {
          'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
        });
      }
    }
  });

  it('describes the upload as form and as raw picture', () => {
    const { requestBody } = document.paths['/upload/'].post;
    assert.deepEqual(Object.keys(requestBody!.content), [
      'multipart/form-data',
      'image/jpeg',
      'image/png',
      'application/octet-stream',
    ]);
    assert.deepEqual(requestBody!.content['multipart/form-data'].schema.required, ['file']);
  });

  it('keeps its head out of the schemas', () => {
    const text = JSON.stringify(document);
    assert.doesNotMatch(text, /\$schema|\$id|inline-/);
  });
});
