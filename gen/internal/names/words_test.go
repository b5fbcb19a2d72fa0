package names

import "testing"

func TestLower(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"SendCode": "sendCode", "SMSCode": "smsCode", "ID": "id", "send": "send", "A": "a", "AB": "ab", "ABc": "aBc",
		"HTTP2Get": "http2Get", "Go": "go", "Ünder": "ünder", "_x": "_x",
	} {
		if got := Lower(in); got != want {
			t.Errorf("Lower(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestUpper(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"phone": "Phone", "Phone": "Phone", "über": "Über", "世界": "X世界", "x": "X"} {
		if got := Upper(in); got != want {
			t.Errorf("Upper(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestImplied(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		path, name string
		want       bool
	}{
		{"context", "context", true},
		{"encoding/json", "json", true},
		{"math/rand/v2", "rand", true},
		{"example.com/tax/v12", "tax", true},
		{"gopkg.in/yaml.v3", "yaml", true},
		{"example.com/v2", "v2", false},
		{"github.com/durablegen/durablegen/runtime", "durable", false},
		{"example.com/go-sms", "sms", false},
	} {
		if got := Implied(test.path, test.name); got != test.want {
			t.Errorf("Implied(%q, %q) = %t, want %t", test.path, test.name, got, test.want)
		}
	}
}
