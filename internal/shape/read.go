package shape

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrNewer is a lock that a newer durablegen has written.
var ErrNewer = errors.New("shape: the lock was written by a newer durablegen; update the tool to that version")

// What a lock may be at most; real ones stay far below.
const (
	maxFile  = 64 << 20
	maxTypes = 1 << 16
	maxDepth = 64 // of bodies in bodies, and of parts in the notation of a type
)

// Read reads the content of a lock. It refuses what [Lock.Text] does not write, so that nobody judges over what he has not
// understood; every index in the lock that it gives is in range.
func Read(text []byte) (Lock, error) {
	if len(text) > maxFile {
		return Lock{}, fmt.Errorf("shape: a lock of %d bytes is no lock: the limit is %d", len(text), maxFile)
	}
	if bytes.Contains(text, []byte("\n<<<<<<< ")) || bytes.HasPrefix(text, []byte("<<<<<<< ")) {
		return Lock{}, errors.New("shape: the lock has a merge conflict: take the side of the code that is deployed, then run durablegen")
	}
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return Lock{}, fmt.Errorf("shape: the lock is not JSON: %w", err)
	}
	switch {
	case head.Format > Format:
		return Lock{}, fmt.Errorf("%w (format %d, this one reads up to %d)", ErrNewer, head.Format, Format)
	case head.Format < 1:
		return Lock{}, errors.New(`shape: the file says no "format" and is no lock; remove it and run durablegen`)
	}
	var file fileLock
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&file); err != nil {
		return Lock{}, fmt.Errorf("shape: read the lock: %w", err)
	}
	return file.lock()
}

type reader struct {
	types []Type
	known map[string]TypeRef // by notation
}

func (f *fileLock) lock() (Lock, error) {
	r := &reader{known: map[string]TypeRef{}}
	if err := r.entries(f.Types); err != nil {
		return Lock{}, fmt.Errorf("shape: types of the lock: %w", err)
	}
	l := Lock{Format: Format, Package: f.Package, Accepted: f.Accepted, Written: f.Written}
	for _, o := range f.Orchestrators {
		e, err := r.endpoint(o.fileEndpoint)
		if err == nil {
			var flow Flow
			if flow, err = r.flow(o.Flow, 0); err == nil {
				l.Orchestrators = append(l.Orchestrators, Orchestrator{Name: e.Name, Aliases: e.Aliases, Version: o.Version, Group: o.Group, Params: e.Params, Result: e.Result, Flow: flow})
			}
		}
		if err != nil {
			return Lock{}, fmt.Errorf("shape: orchestrator %s of the lock: %w", o.Name, err)
		}
	}
	var err error
	if l.Activities, err = r.endpoints(f.Activities); err != nil {
		return Lock{}, err
	}
	if l.Events, err = r.endpoints(f.Events); err != nil {
		return Lock{}, err
	}
	if l.Children, err = r.endpoints(f.Children); err != nil {
		return Lock{}, err
	}
	l.Types = r.types
	return l, nil
}

func (r *reader) endpoints(list []fileEndpoint) ([]Endpoint, error) {
	var out []Endpoint
	for _, e := range list {
		endpoint, err := r.endpoint(e)
		if err != nil {
			return nil, fmt.Errorf("shape: %s of the lock: %w", e.Name, err)
		}
		out = append(out, endpoint)
	}
	return out, nil
}

func (r *reader) endpoint(f fileEndpoint) (Endpoint, error) {
	e := Endpoint{Name: f.Name, Aliases: f.Aliases}
	var err error
	for _, p := range f.Params {
		var ref TypeRef
		if ref, err = r.ref(p.Type); err != nil {
			return e, err
		}
		if ref == NoType {
			return e, fmt.Errorf("parameter %s has no type", p.Name)
		}
		e.Params = append(e.Params, Param{Name: p.Name, Type: ref})
	}
	e.Result, err = r.ref(f.Result)
	return e, err
}

func (r *reader) flow(f fileFlow, depth int) (Flow, error) {
	if depth > maxDepth {
		return Flow{}, errors.New("bodies lie too deep in each other")
	}
	in := func(i, n int) bool { return 0 <= i && i < n }
	all := func(list []int, n int) bool {
		return !slices.ContainsFunc(list, func(i int) bool { return !in(i, n) })
	}
	nodes, values := len(f.Nodes), len(f.Values)
	out := Flow{Values: f.Values}
	for i, n := range f.Nodes {
		if !all(n.Args, values) || !all(n.Next, nodes) {
			return Flow{}, fmt.Errorf("node %d points to what is not there", i)
		}
		for _, e := range n.In {
			if !in(e.From, nodes) || !in(e.Next, len(f.Nodes[e.From].Next)) {
				return Flow{}, fmt.Errorf("node %d is reached from what is not there", i)
			}
		}
		node := Node{Kind: n.Kind, Target: n.Target, Args: n.Args, Loose: n.Loose, Bytes: n.Bytes, Shielded: n.Shielded, Next: n.Next, In: n.In}
		var err error
		if node.Type, err = r.ref(n.Type); err != nil {
			return Flow{}, fmt.Errorf("node %d: %w", i, err)
		}
		for _, b := range n.Bodies {
			body, err := r.flow(b, depth+1)
			if err != nil {
				return Flow{}, fmt.Errorf("a body of node %d: %w", i, err)
			}
			node.Bodies = append(node.Bodies, body)
		}
		out.Nodes = append(out.Nodes, node)
	}
	for _, fn := range f.Functions {
		body, err := r.flow(fn.Flow, depth+1)
		if err != nil {
			return Flow{}, fmt.Errorf("function %s: %w", fn.Sum, err)
		}
		out.Functions = append(out.Functions, Function{fn.Sum, body})
	}
	if f.Run != nil {
		run, err := r.flow(*f.Run, depth+1)
		if err != nil {
			return Flow{}, fmt.Errorf("the form to run: %w", err)
		}
		out.Run = &run
	}
	for i, v := range f.Values {
		if !all(v.Args, values) || v.Node != 0 && !in(v.Node, nodes) || v.Loop < 0 || v.Func < 0 {
			return Flow{}, fmt.Errorf("value %d points to what is not there", i)
		}
	}
	return out, nil
}

// entries reads the types with lines of their own. They may name each other in any order, so all get their index first.
func (r *reader) entries(list []fileType) error {
	for i, t := range list {
		if !strings.HasPrefix(t.ID, "#") || strings.ContainsAny(t.ID, "[]()") {
			return fmt.Errorf("%q is no id", t.ID)
		}
		if _, twice := r.known[t.ID]; twice {
			return fmt.Errorf("%s is there twice", t.ID)
		}
		r.known[t.ID] = TypeRef(i)
	}
	r.types = make([]Type, len(list))
	for i, t := range list {
		if t.Is != "" {
			made, err := r.parse(t.Is, 0)
			if err != nil {
				return fmt.Errorf("%s: %w", t.ID, err)
			}
			r.types[i] = made
			continue
		}
		object := Type{Kind: "object"}
		for _, f := range t.Fields {
			ref, err := r.ref(f.Type)
			if err != nil {
				return fmt.Errorf("%s: field %q: %w", t.ID, f.Name, err)
			}
			if ref == NoType {
				return fmt.Errorf("%s: field %q has no type", t.ID, f.Name)
			}
			object.Fields = append(object.Fields, Field{Name: f.Name, Type: ref, Optional: f.Optional, Zero: f.Zero, Quoted: f.Quoted, From: f.From, Hides: f.Hides})
		}
		r.types[i] = object
	}
	return nil
}

// ref gives the index of a type in the notation; NoType for "".
func (r *reader) ref(s string) (TypeRef, error) {
	if s == "" {
		return NoType, nil
	}
	return r.at(s, 0)
}

func (r *reader) at(s string, depth int) (TypeRef, error) {
	if ref, ok := r.known[s]; ok {
		return ref, nil
	}
	t, err := r.parse(s, depth)
	if err != nil {
		return NoType, err
	}
	if len(r.types) >= maxTypes {
		return NoType, errors.New("there are too many types")
	}
	ref := TypeRef(len(r.types))
	r.types, r.known[s] = append(r.types, t), ref
	return ref, nil
}

// numbers are the sizes that numbers have.
var numbers = []string{"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64"}

// codeSums are behind the name of a type that writes and reads itself.
var codeSums = regexp.MustCompile(`^(.*)\|([0-9a-f]{8})\|([0-9a-f]{8})$`)

// parse reads the outermost part of a notation; what it is made of gets an index.
func (r *reader) parse(s string, depth int) (Type, error) {
	bad := fmt.Errorf("%q is no type", s)
	if depth > maxDepth {
		return Type{}, errors.New("a type lies too deep in others")
	}
	made := func(t Type, elem string) (Type, error) {
		if elem == "" {
			return Type{}, bad
		}
		var err error
		t.Elem, err = r.at(elem, depth+1)
		return t, err
	}
	switch {
	case slices.Contains([]string{"string", "bool", "bytes", "time", "any", "raw"}, s):
		return Type{Kind: s}, nil
	case slices.Contains(numbers, s):
		kind := strings.TrimRight(s, "0123456789")
		bits, err := strconv.Atoi(s[len(kind):])
		return Type{Kind: kind, Bits: bits}, err
	case strings.HasSuffix(s, ")") && (strings.HasPrefix(s, "text(") || strings.HasPrefix(s, "own(")):
		kind, name, _ := strings.Cut(s[:len(s)-1], "(")
		made := Type{Kind: kind, Name: name}
		if parts := codeSums.FindStringSubmatch(name); parts != nil {
			made.Name, made.Reads, made.Writes = parts[1], parts[2], parts[3]
		}
		return made, nil
	case strings.HasPrefix(s, "*"):
		return made(Type{Kind: "pointer"}, s[1:])
	case strings.HasPrefix(s, "[]"):
		return made(Type{Kind: "list"}, s[2:])
	case strings.HasPrefix(s, "["):
		length, elem, _ := strings.Cut(s[1:], "]")
		n, err := strconv.Atoi(length)
		if err != nil || n < 0 || strconv.Itoa(n) != length {
			return Type{}, bad
		}
		return made(Type{Kind: "array", Bits: n}, elem)
	case strings.HasPrefix(s, "map["):
		key, elem, ok := cutKey(s[len("map["):])
		if !ok || key == "" {
			return Type{}, bad
		}
		ref, err := r.at(key, depth+1)
		if err != nil {
			return Type{}, err
		}
		return made(Type{Kind: "map", Key: ref}, elem)
	}
	return Type{}, bad
}

// cutKey cuts at the bracket that ends a key, which may have brackets of its own.
func cutKey(s string) (key, elem string, ok bool) {
	open := 0
	for i, c := range s {
		switch {
		case c == '[':
			open++
		case c == ']' && open == 0:
			return s[:i], s[i+1:], true
		case c == ']':
			open--
		}
	}
	return "", "", false
}
