package openapi

import (
	"encoding/json"
	"fmt"
	"path"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/problem"
)

const prefix = "#/components/schemas/"

// registry is huma's registry with three differences: types may describe themselves without knowing huma,
// two types of one name (of different packages) get along, and lists are never null, but an entry that is a pointer may be.
type registry struct {
	schemas map[string]*huma.Schema
	names   map[reflect.Type]string
	aliases map[reflect.Type]reflect.Type
}

var _ huma.Registry = (*registry)(nil)

func newRegistry() *registry {
	return &registry{schemas: map[string]*huma.Schema{}, names: map[reflect.Type]string{}, aliases: map[reflect.Type]reflect.Type{}}
}

// describer is a type that says what it looks like in JSON.
type describer interface{ JSONSchema() string }

func (r *registry) Schema(t reflect.Type, allowRef bool, hint string) *huma.Schema {
	base := t
	for base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	if alias, ok := r.aliases[base]; ok {
		base, t = alias, alias
	}
	if s := special(base); s != nil {
		return s
	}
	if base.Kind() != reflect.Struct || base == reflect.TypeFor[time.Time]() {
		s := huma.SchemaFromType(r, t)
		if s == nil {
			panic(fmt.Sprintf("the type %s has no form in JSON", t))
		}
		if s.Type == huma.TypeArray {
			s.Nullable = false
			if t.Elem().Kind() == reflect.Pointer { // an entry may be missing
				s.Items = &huma.Schema{AnyOf: []*huma.Schema{s.Items, {Extensions: map[string]any{"type": "null"}}}}
			}
		}
		return s
	}
	name, known := r.names[base]
	if !known {
		name = r.name(base, hint)
		r.names[base] = name
		r.schemas[name] = &huma.Schema{} // a recursive type refers to it
		r.schemas[name] = huma.SchemaFromType(r, base)
	}
	if allowRef {
		return &huma.Schema{Ref: prefix + name}
	}
	return r.schemas[name]
}

func (r *registry) name(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	if _, taken := r.schemas[name]; taken {
		pkg := path.Base(t.PkgPath())
		name = strings.ToUpper(pkg[:1]) + pkg[1:] + name
	}
	if _, taken := r.schemas[name]; taken || name == "" {
		panic(fmt.Sprintf("the type %s needs a name of its own", t))
	}
	return name
}

// special are the types whose Go form does not tell their JSON.
func special(t reflect.Type) *huma.Schema {
	switch t {
	case reflect.TypeFor[json.Number]():
		return &huma.Schema{Type: huma.TypeNumber}
	case reflect.TypeFor[problem.Code]():
		s := &huma.Schema{Type: huma.TypeString}
		for _, k := range problem.Kinds() {
			s.Enum = append(s.Enum, string(k.Code))
		}
		return s
	}
	d, ok := reflect.New(t).Interface().(describer)
	if !ok {
		return nil
	}
	s := &huma.Schema{}
	if err := json.Unmarshal([]byte(d.JSONSchema()), &s.Extensions); err != nil {
		panic(fmt.Sprintf("JSONSchema of %s: %v", t, err))
	}
	return s
}

func (r *registry) SchemaFromRef(ref string) *huma.Schema {
	return r.schemas[strings.TrimPrefix(ref, prefix)]
}

func (r *registry) TypeFromRef(ref string) reflect.Type {
	for t, name := range r.names {
		if prefix+name == ref {
			return t
		}
	}
	return nil
}

func (r *registry) Map() map[string]*huma.Schema { return r.schemas }

func (r *registry) RegisterTypeAlias(t, alias reflect.Type) { r.aliases[t] = alias }

// MarshalJSON is the object under components/schemas.
func (r *registry) MarshalJSON() ([]byte, error) { return json.Marshal(r.schemas) }

// openAnswers lets objects that only we send have more members some day: a request with an unknown member is
// refused, a client must not refuse an answer for one.
func (r *registry) openAnswers(endpoints []httpapi.Endpoint) {
	sent := map[string]bool{}
	for _, e := range endpoints {
		if e.In != nil {
			r.mark(sent, r.Schema(e.In, true, e.Op.ID+"Request"))
		}
	}
	for name, s := range r.schemas {
		if !sent[name] && s.AdditionalProperties == false {
			s.AdditionalProperties = nil
		}
	}
}

// mark collects the names of everything that a schema refers to.
func (r *registry) mark(seen map[string]bool, s *huma.Schema) {
	if s == nil {
		return
	}
	if name := strings.TrimPrefix(s.Ref, prefix); s.Ref != "" {
		if !seen[name] {
			seen[name] = true
			r.mark(seen, r.schemas[name])
		}
		return
	}
	r.mark(seen, s.Items)
	if values, ok := s.AdditionalProperties.(*huma.Schema); ok {
		r.mark(seen, values)
	}
	for _, p := range s.Properties {
		r.mark(seen, p)
	}
}
