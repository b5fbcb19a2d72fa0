package shape

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
)

// FileName is where the lock of a package lies, beside its generated file.
const FileName = "durable.lock.json"

// The form of the file. Types are said in a notation: string, int64, []T, [3]T, map[K]T, *T, text(name), own(name), the same with two sums as own(name|reads|writes), and #id
// for one that has a line in types.
type (
	fileLock struct {
		Format        int                `json:"format"`
		Package       string             `json:"package"`
		Orchestrators []fileOrchestrator `json:"orchestrators"`
		Activities    []fileEndpoint     `json:"activities,omitempty"`
		Events        []fileEndpoint     `json:"events,omitempty"`
		Children      []fileEndpoint     `json:"children,omitempty"`
		Types         []fileType         `json:"types,omitempty"`
		Accepted      []Accepted         `json:"accepted,omitempty"`
		Written       []Written          `json:"written,omitempty"`
	}
	fileEndpoint struct {
		Name    string      `json:"name"`
		Aliases []string    `json:"aliases,omitempty"`
		Version string      `json:"version,omitempty"` // of orchestrators
		Group   string      `json:"group,omitempty"`   // the same
		Params  []fileParam `json:"params,omitempty"`
		Result  string      `json:"result,omitempty"`
	}
	fileOrchestrator struct {
		fileEndpoint
		Flow fileFlow `json:"flow"`
	}
	fileParam struct {
		Name string `json:"name,omitempty"`
		Type string `json:"type"`
	}
	fileFlow struct {
		Nodes     []fileNode     `json:"nodes"`
		Values    []Value        `json:"values,omitempty"`
		Functions []fileFunction `json:"functions,omitempty"`
		Run       *fileFlow      `json:"run,omitempty"`
	}
	fileFunction struct {
		Sum  string   `json:"sum"`
		Flow fileFlow `json:"flow"`
	}
	fileNode struct {
		Kind     NodeKind   `json:"kind"`
		Target   string     `json:"target,omitempty"`
		Args     []int      `json:"args,omitempty"`
		Loose    bool       `json:"loose,omitempty"`
		Bytes    bool       `json:"bytes,omitempty"`
		Shielded bool       `json:"shielded,omitempty"`
		Type     string     `json:"type,omitempty"`
		Next     []int      `json:"next,omitempty"`
		In       []Edge     `json:"in,omitempty"`
		Bodies   []fileFlow `json:"bodies,omitempty"`
	}
	fileType struct {
		ID     string      `json:"id"`
		Is     string      `json:"is,omitempty"` // of one without fields that contains itself
		Fields []fileField `json:"fields,omitempty"`
	}
	fileField struct {
		Name     string `json:"name"`
		Type     string `json:"type"`
		Optional bool   `json:"optional,omitempty"`
		Zero     string `json:"zero,omitempty"`
		Quoted   bool   `json:"quoted,omitempty"`
		From     string `json:"from,omitempty"`
		Hides    bool   `json:"hides,omitempty"`
	}
)

// Text gives the content of the file: the same lock is always the same text, a node, value, field or header a line, so
// that a difference can be read and a merge conflict stays where two changed the same function.
func (l *Lock) Text() []byte {
	w := &writer{namer: newNamer(l.Types)}
	w.raw("{\n")
	w.line("  ", `"format": `, l.Format, ",\n")
	w.line("  ", `"package": `, l.Package, ",\n")
	w.raw(`  "orchestrators": [`)
	list(w, slices.SortedStableFunc(slices.Values(l.Orchestrators), func(a, b Orchestrator) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version))
	}), w.orchestrator)
	w.raw("]")
	w.endpoints("activities", l.Activities)
	w.endpoints("events", l.Events)
	w.endpoints("children", l.Children)
	if len(w.entries) > 0 {
		w.raw(",\n  \"types\": [")
		list(w, slices.Sorted(maps.Keys(w.entries)), w.entry)
		w.raw("]")
	}
	if len(l.Accepted) > 0 {
		w.raw(",\n  \"accepted\": [")
		list(w, l.Accepted, func(a Accepted) { w.line("    ", "", a, "") })
		w.raw("]")
	}
	if len(l.Written) > 0 {
		w.raw(",\n  \"written\": [")
		list(w, slices.SortedStableFunc(slices.Values(l.Written), func(a, b Written) int {
			return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Pieces, b.Pieces))
		}), func(c Written) { w.line("    ", "", c, "") })
		w.raw("]")
	}
	w.raw("\n}\n")
	return w.Bytes()
}

type writer struct {
	bytes.Buffer
	*namer
}

func (w *writer) raw(s string) { w.WriteString(s) }

// line writes one value on one line.
func (w *writer) line(indent, before string, v any, after string) {
	w.raw(indent + before)
	w.value(v)
	w.raw(after)
}

func (w *writer) value(v any) {
	e := json.NewEncoder(&w.Buffer)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic("durablegen: a lock that is no JSON: " + err.Error()) // plain data of our own
	}
	w.Truncate(w.Len() - 1)
}

// list writes members with the commas and line ends between them.
func list[T any](w *writer, members []T, write func(T)) {
	for i, m := range members {
		if i > 0 {
			w.raw(",")
		}
		w.raw("\n")
		write(m)
	}
	if len(members) > 0 {
		w.raw("\n  ")
	}
}

func (w *writer) endpoints(key string, members []Endpoint) {
	if len(members) == 0 {
		return
	}
	w.raw(",\n  \"" + key + "\": [")
	list(w, slices.SortedStableFunc(slices.Values(members), func(a, b Endpoint) int { return cmp.Compare(a.Name, b.Name) }), func(e Endpoint) {
		w.line("    ", "", fileEndpoint{Name: e.Name, Aliases: e.Aliases, Params: w.params(e.Params), Result: w.name(e.Result)}, "")
	})
	w.raw("]")
}

func (w *writer) params(params []Param) []fileParam {
	var list []fileParam
	for _, p := range params {
		list = append(list, fileParam{p.Name, w.name(p.Type)})
	}
	return list
}

func (w *writer) orchestrator(o Orchestrator) {
	w.line("    ", "", fileEndpoint{o.Name, o.Aliases, o.Version, o.Group, w.params(o.Params), w.name(o.Result)}, "")
	w.Truncate(w.Len() - 1)
	w.raw(`,"flow":`)
	w.flow("      ", o.Flow)
	w.raw("}")
}

func (w *writer) flow(indent string, f Flow) {
	w.raw(`{"nodes":[`)
	for i, n := range f.Nodes {
		w.separate(i, indent)
		w.value(fileNode{Kind: n.Kind, Target: n.Target, Args: n.Args, Loose: n.Loose, Bytes: n.Bytes, Shielded: n.Shielded, Type: w.name(n.Type), Next: n.Next, In: n.In})
		if len(n.Bodies) == 0 {
			continue
		}
		w.Truncate(w.Len() - 1)
		w.raw(`,"bodies":[`)
		for j, body := range n.Bodies {
			w.separate(j, indent+"  ")
			w.flow(indent+"    ", body)
		}
		w.raw("]}")
	}
	w.raw("]")
	if len(f.Values) > 0 {
		w.raw(",\"values\":[")
		for i, v := range f.Values {
			w.separate(i, indent)
			w.value(v)
		}
		w.raw("]")
	}
	if len(f.Functions) > 0 {
		w.raw(",\"functions\":[")
		for i, fn := range f.Functions {
			w.separate(i, indent)
			w.value(fileFunction{Sum: fn.Sum})
			w.Truncate(bytes.LastIndex(w.Bytes(), []byte(`,"flow":`)))
			w.raw(`,"flow":`)
			w.flow(indent+"  ", fn.Flow)
			w.raw("}")
		}
		w.raw("]")
	}
	if f.Run != nil {
		w.raw(",\"run\":")
		w.flow(indent+"  ", *f.Run)
	}
	w.raw("}")
}

func (w *writer) separate(i int, indent string) {
	if i > 0 {
		w.raw(",")
	}
	w.raw("\n" + indent)
}

// entry writes a type that has a line of its own, and its fields.
func (w *writer) entry(id string) {
	t := &w.types[w.entries[id]]
	if t.Kind != "object" {
		w.line("    ", "", fileType{ID: id, Is: w.notation(t)}, "")
		return
	}
	w.line("    ", "", fileType{ID: id}, "")
	w.Truncate(w.Len() - 1)
	w.raw(`,"fields":[`)
	for i, f := range t.Fields {
		w.separate(i, "      ")
		w.value(fileField{f.Name, w.name(f.Type), f.Optional, f.Zero, f.Quoted, f.From, f.Hides})
	}
	w.raw("]}")
}
