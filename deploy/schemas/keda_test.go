package schemas_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	strict "sigs.k8s.io/yaml"
)

// schema is what this file uses of a schema as OpenAPI writes it. KEDA's Go types would say the same, with all of client-go
// behind them.
type schema struct {
	Type       string            `json:"type"`
	Properties map[string]schema `json:"properties"`
	Additional *schema           `json:"additionalProperties"`
	Items      *schema           `json:"items"`
	Required   []string          `json:"required"`
	Enum       []any             `json:"enum"`
	IntOrText  bool              `json:"x-kubernetes-int-or-string"`
	Free       bool              `json:"x-kubernetes-preserve-unknown-fields"`
}

// scaledObject is one that its schema takes.
type scaledObject map[string]any

// schemaOfScaledObject is that of the version of KEDA in go.mod.
var schemaOfScaledObject = sync.OnceValues(func() (s schema, err error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/kedacore/keda/v2").Output()
	if err != nil {
		return s, fmt.Errorf("find KEDA: %w", err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "config/crd/bases/keda.sh_scaledobjects.yaml"))
	if err != nil {
		return s, err
	}
	var definition struct {
		Spec struct {
			Versions []struct {
				Name   string
				Schema struct{ OpenAPIV3Schema schema }
			}
		}
	}
	if err := strict.Unmarshal(text, &definition); err != nil {
		return s, err
	}
	for _, v := range definition.Spec.Versions {
		if v.Name == "v1alpha1" && len(v.Schema.OpenAPIV3Schema.Properties) > 0 {
			return v.Schema.OpenAPIV3Schema, nil
		}
	}
	return s, fmt.Errorf("KEDA's ScaledObject has no schema of v1alpha1")
})

func readScaledObject(text []byte) (any, error) {
	s, err := schemaOfScaledObject()
	if err != nil {
		return nil, err
	}
	var doc map[string]any
	if err := strict.UnmarshalStrict(text, &doc); err != nil {
		return nil, err
	}
	metadata, _ := doc["metadata"].(map[string]any) // every kind has the same, and this one says only that it is an object
	for key := range metadata {
		if !slices.Contains([]string{"name", "namespace", "labels", "annotations"}, key) {
			return nil, fmt.Errorf("metadata has no %s", key)
		}
	}
	delete(doc, "metadata")
	return scaledObject(doc), s.check("", doc)
}

// check gives what is wrong with a value.
func (s *schema) check(at string, value any) error {
	wrong := func() error { return fmt.Errorf("%s is %T, want %s", at, value, s.Type) }
	if len(s.Enum) > 0 && !slices.Contains(s.Enum, value) {
		return fmt.Errorf("%s is %v, want one of %v", at, value, s.Enum)
	}
	switch v := value.(type) {
	case map[string]any:
		if s.Type != "object" {
			return wrong()
		}
		return s.checkFields(at, v)
	case []any:
		if s.Type != "array" {
			return wrong()
		}
		for n, item := range v {
			if err := s.Items.check(fmt.Sprintf("%s[%d]", at, n), item); err != nil {
				return err
			}
		}
	case string:
		if s.Type != "string" && !s.IntOrText {
			return wrong()
		}
	case bool:
		if s.Type != "boolean" {
			return wrong()
		}
	case float64:
		if whole := v == float64(int64(v)); s.Type != "number" && !(whole && (s.Type == "integer" || s.IntOrText)) {
			return wrong()
		}
	default:
		return wrong()
	}
	return nil
}

func (s *schema) checkFields(at string, fields map[string]any) error {
	for _, name := range s.Required {
		if _, ok := fields[name]; !ok {
			return fmt.Errorf("%s has no %s", at, name)
		}
	}
	for name, value := range fields {
		of, ok := s.Properties[name]
		switch {
		case ok:
		case s.Additional != nil:
			of = *s.Additional
		case s.Free:
			continue
		default:
			return fmt.Errorf("%s has a field %s that its kind does not know", at, name)
		}
		if err := of.check(at+"."+name, value); err != nil {
			return err
		}
	}
	return nil
}
