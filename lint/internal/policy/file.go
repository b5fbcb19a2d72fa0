package policy

import (
	"errors"
	"fmt"
	"go/types"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/go/analysis"
)

// FileName is the policy of a module; it lies beside go.mod.
const FileName = "durablelint.yaml"

// Path is the file to read instead of the one beside go.mod; "": none. It is a flag of the command.
var Path string

// File is a durablelint.yaml. The zero value decides nothing.
type File struct {
	// Code says what code of others does: packages ("example.com/sms"), packages and all below ("example.com/sms/..."),
	// functions ("example.com/sms.Send"), types ("example.com/sms.Client") and methods ("example.com/sms.Client.Send"). The
	// most specific entry counts.
	Code map[string]Class `yaml:"code"`
}

// Class is what a piece of code does: [Pure], [Inspect], or the id of the rule that whoever calls it breaks.
type Class string

// The classes that are no rules.
const (
	Pure    Class = "pure"    // nothing but computing
	Inspect Class = "inspect" // what its source says, as if there were no entry
)

var rule = regexp.MustCompile(`^D(ET|UR)[0-9]{3}$`)

// Read reads a file.
func Read(path string) (*File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := &File{}
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	dec.KnownFields(true)
	if err := dec.Decode(f); err != nil && !errors.Is(err, io.EOF) { // nothing but comments
		return nil, fmt.Errorf("%s: %s; it has one key, code, with entries like example.com/sms.Send: pure", path, strings.Join(strings.Fields(err.Error()), " "))
	}
	for pattern, class := range f.Code {
		if class != Pure && class != Inspect && !rule.MatchString(string(class)) {
			return nil, fmt.Errorf("%s: %s: %q is no class; write pure, inspect, or the id of the rule that it breaks, such as DET302", path, pattern, class)
		}
	}
	return f, nil
}

// Find is the file beside the go.mod at or above dir; "" when there is none.
func Find(dir string) string {
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			path := filepath.Join(dir, FileName)
			if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
				return ""
			}
			return path
		}
		up := filepath.Dir(dir)
		if up == dir {
			return ""
		}
		dir = up
	}
}

var read sync.Map // path to func() (*File, error)

// fileFor gives the policy for a package. What other modules have in theirs is their own affair.
func fileFor(pass *analysis.Pass, own bool) (*File, error) {
	path := Path
	if path == "" && own && len(pass.Files) > 0 {
		name := pass.Fset.Position(pass.Files[len(pass.Files)-1].Package).Filename // the first of a cgo package is made
		if abs, err := filepath.Abs(name); err == nil {
			path = Find(filepath.Dir(abs))
		}
	}
	if path == "" {
		return &File{}, nil
	}
	once, _ := read.LoadOrStore(path, sync.OnceValues(func() (*File, error) { return Read(path) }))
	return once.(func() (*File, error))()
}

// Class is what the policy says of a function or method; [Inspect] when it says nothing.
func (p *Policy) Class(obj *types.Func) Class {
	if len(p.file.Code) == 0 || obj.Pkg() == nil {
		return Inspect
	}
	return p.file.class(obj.Pkg().Path(), receiver(obj), obj.Name())
}

func (f *File) class(path, recv, name string) Class {
	keys := []string{path + "." + name, path}
	if recv != "" {
		keys = []string{path + "." + recv + "." + name, path + "." + recv, path}
	}
	for up := path; ; up = up[:strings.LastIndexByte(up, '/')] {
		keys = append(keys, up+"/...")
		if !strings.Contains(up, "/") {
			break
		}
	}
	for _, key := range keys {
		if c, ok := f.Code[key]; ok {
			return c
		}
	}
	return Inspect
}

// receiver is the name of a method's type.
func receiver(obj *types.Func) string {
	recv := obj.Signature().Recv()
	if recv == nil {
		return ""
	}
	t := recv.Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := types.Unalias(t).(*types.Named); ok {
		return n.Obj().Name()
	}
	return ""
}

// Hides reports whether a way through other modules leads through code that the policy takes as pure: functions are given
// as they stand in messages, "(*sms.Client).Send", and the package that they are of.
func (p *Policy) Hides(path, function string) bool {
	if len(p.file.Code) == 0 {
		return false
	}
	recv, name := "", function
	if i := strings.LastIndexByte(function, '.'); i >= 0 {
		recv, name = function[:i], function[i+1:]
	}
	recv = strings.Trim(recv, "(*)")
	if i := strings.LastIndexByte(recv, '.'); i >= 0 && strings.HasPrefix(function, "(") {
		recv = recv[i+1:]
	} else {
		recv = ""
	}
	return p.file.class(path, recv, name) == Pure
}
