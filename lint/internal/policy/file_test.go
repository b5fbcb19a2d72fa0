package policy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMostSpecificWins(t *testing.T) {
	t.Parallel()
	f := &File{Code: map[string]Class{
		"example.org/...":              Pure,
		"example.org/sms/...":          "DET302",
		"example.org/sms":              Inspect,
		"example.org/sms.Client":       "DET301",
		"example.org/sms.Client.Close": Pure,
		"gopkg.in/yaml.v3":             Pure,
		"gopkg.in/yaml.v3.Marshal":     Inspect,
	}}
	for _, test := range []struct {
		name             string
		path, recv, call string
		want             Class
	}{
		{"method", "example.org/sms", "Client", "Close", Pure},
		{"type", "example.org/sms", "Client", "Text", "DET301"},
		{"package", "example.org/sms", "", "Stamp", Inspect},
		{"another type of the package", "example.org/sms", "Server", "Close", Inspect},
		{"below the package", "example.org/sms/queue", "", "Push", "DET302"},
		{"below the host", "example.org/mail", "", "Send", Pure},
		{"of the host alone", "example.org", "", "Send", Pure},
		{"a name that begins the same", "example.organ/sms", "", "Stamp", Inspect},
		{"a dot in the package", "gopkg.in/yaml.v3", "", "Unmarshal", Pure},
		{"a dot in the package, and a function", "gopkg.in/yaml.v3", "", "Marshal", Inspect},
		{"nobody", "example.net/x", "T", "M", Inspect},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got := f.class(test.path, test.recv, test.call); got != test.want {
				t.Errorf("class(%q, %q, %q) = %s, want %s", test.path, test.recv, test.call, got, test.want)
			}
		})
	}
}

// TestHides: what stands in a way is a function's name as messages have it.
func TestHides(t *testing.T) {
	t.Parallel()
	p := &Policy{file: &File{Code: map[string]Class{"example.org/sms.Client.Text": Pure, "example.org/sms.Stamp": Pure, "example.org/mail": Pure}}}
	for _, test := range []struct {
		path, function string
		want           bool
	}{
		{"example.org/sms", "(*sms.Client).Text", true},
		{"example.org/sms", "(sms.Client).Text", true},
		{"example.org/sms", "(*sms.Client).Close", false},
		{"example.org/sms", "sms.Stamp", true},
		{"example.org/sms", "sms.Text", false},
		{"example.org/mail", "(*mail.Box).Open", true},
		{"example.net/sms", "sms.Stamp", false},
	} {
		if got := p.Hides(test.path, test.function); got != test.want {
			t.Errorf("Hides(%q, %q) = %t, want %t", test.path, test.function, got, test.want)
		}
	}
}

func TestRead(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, want string }{
		{"empty", "", ""},
		{"comments only", "# nothing\n", ""},
		{"entries", "code:\n  example.org/sms: pure\n  example.org/sms.Send: DET302\n", ""},
		{"unknown key", "rules: {}\n", "it has one key, code"},
		{"unknown class", "code: {example.org/sms: DET}\n", `"DET" is no class`},
		{"no YAML", "code: [\n", "it has one key, code"},
		{"twice", "code: {a: pure, a: pure}\n", "already defined"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), FileName)
			if err := os.WriteFile(path, []byte(test.text), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := Read(path)
			if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
			if err != nil && !strings.Contains(err.Error(), path) {
				t.Errorf("error %v does not name the file", err)
			}
		})
	}
}

// FuzzRead: any file is read or refused.
func FuzzRead(f *testing.F) {
	f.Add("code:\n  example.org/sms: pure\n")
	f.Add("code: &a\n  x: *a\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), FileName)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if file, err := Read(path); err == nil {
			_ = file.class("example.org/sms", "T", "M")
		}
	})
}
