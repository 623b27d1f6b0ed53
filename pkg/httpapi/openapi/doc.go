// Package openapi writes the OpenAPI 3.1 document of a set of endpoints, from their operations and their Go
// types. It is for the documentation and its tests: no function links it.
//
// A field is described by its tags, as huma reads them (https://huma.rocks/features/request-validation/):
// doc, example, enum, format, minimum, maximum, minLength, maxLength, pattern, minItems, maxItems,
// required, deprecated. A field with omitempty or omitzero is optional. A type that encodes itself says how
// in a method JSONSchema() string, whose text is a JSON Schema.
package openapi
