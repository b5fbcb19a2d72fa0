package output

import (
	"bytes"
	"encoding/json"

	"go.yaml.in/yaml/v3"
)

// yaml writes what the JSON of v says, its fields in the same order.
func (p Printer) yaml(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return written(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	n, err := node(d)
	if err != nil {
		return written(err)
	}
	enc := yaml.NewEncoder(p.W)
	enc.SetIndent(2)
	if err := enc.Encode(n); err != nil {
		return written(err)
	}
	return written(enc.Close())
}

// node reads the next JSON value.
func node(d *json.Decoder) (*yaml.Node, error) {
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case json.Delim:
		n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		if t == '{' {
			n.Kind, n.Tag = yaml.MappingNode, "!!map"
		}
		for d.More() { // keys are values as any
			child, err := node(d)
			if err != nil {
				return nil, err
			}
			n.Content = append(n.Content, child)
		}
		if len(n.Content) == 0 {
			n.Style = yaml.FlowStyle
		}
		_, err = d.Token() // its end
		return n, err
	case json.Number:
		return &yaml.Node{Kind: yaml.ScalarNode, Value: t.String()}, nil // as it is written
	default: // string, bool, nil
		n := &yaml.Node{}
		return n, n.Encode(t)
	}
}
