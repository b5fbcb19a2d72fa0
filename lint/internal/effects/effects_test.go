package effects

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// telling are symbols whose effects say most about the table, each with what a reader of its documentation expects, in
// the notation of the table; a ? stands behind benign methods.
var telling = []struct{ symbol, want string }{
	// time
	{"time.Now", "DET101"},
	{"time.Since", "DET101"},
	{"time.Until", "DET101"},
	{"time.Sleep", "DET102"},
	{"time.After", "DET103"},
	{"time.AfterFunc", "DET103 1()"},
	{"time.NewTicker", "DET103"},
	{"(*time.Timer).Reset", "DET103"},
	{"(*time.Timer).Stop", "recv!"},
	{"time.Local", "DET105"},
	{"time.UTC", "pure"},
	{"(time.Time).Local", "DET105"},
	{"(time.Time).In", "pure"},
	{"(time.Time).UTC", "pure"},
	{"(time.Time).Sub", "pure"},
	{"(time.Time).Format", "zoned"},
	{"(time.Time).Day", "zoned"},
	{"(time.Time).Unix", "pure"},
	{"(*time.Location).String", "pure"},
	{"time.LoadLocation", "DET105"},
	{"time.FixedZone", "pure"},
	{"time.Unix", "localtime"},
	{"time.UnixMilli", "localtime"},
	{"time.Date", "pure"},
	{"time.Parse", "pure"},
	{"time.ParseDuration", "pure"},
	{"(time.Duration).Hours", "pure"},
	{"context.Background", "pure"},
	{"context.WithCancel", "pure"},
	{"context.WithTimeout", "DET104"},
	{"context.WithDeadlineCause", "DET104"},
	{"context.AfterFunc", "DET201 1()"},
	{"(context.Context).Done", "DUR104"},

	// randomness
	{"math/rand.Intn", "DET111"},
	{"math/rand.Shuffle", "DET111 1()"},
	{"math/rand.New", "0.Int63,Uint64,Seed"},
	{"math/rand.NewSource", "pure"},
	{"(*math/rand.Rand).Intn", "recv!"},
	{"(*math/rand.Rand).Shuffle", "1() recv!"},
	{"(math/rand.Source).Int63", "recv.Int63"},
	{"math/rand/v2.N", "DET111"},
	{"math/rand/v2.NewPCG", "pure"},
	{"(*math/rand/v2.Rand).IntN", "recv!"},
	{"hash/maphash.MakeSeed", "DET111"},
	{"hash/maphash.String", "pure"},
	{"(*hash/maphash.Hash).Sum64", "DET111"},
	{"crypto/rand.Read", "DET112"},
	{"crypto/rand.Reader", "DET112"},
	{"crypto/ecdsa.GenerateKey", "DET112"},
	{"crypto/ecdsa.SignASN1", "DET112"},
	{"crypto/ecdsa.VerifyASN1", "pure"},
	{"crypto/ed25519.Sign", "pure"},
	{"crypto/ed25519.GenerateKey", "DET112"},
	{"crypto/rsa.SignPKCS1v15", "pure"},
	{"crypto/rsa.SignPSS", "DET112"},
	{"(crypto/ecdh.Curve).GenerateKey", "DET112"},
	{"(crypto/ecdh.Curve).NewPrivateKey", "pure"},
	{"crypto/sha256.New", "pure"},
	{"crypto/sha256.Sum256", "pure"},
	{"crypto/hmac.New", "0()"},
	{"crypto/cipher.NewGCM", "pure"},
	{"crypto/cipher.NewGCMWithRandomNonce", "DET112"},
	{"(crypto/cipher.AEAD).Seal", "pure"},
	{"(*crypto/x509.Certificate).Verify", "DET101"},
	{"crypto/x509.SystemCertPool", "DET301"},
	{"mime/multipart.NewWriter", "DET112 0.Write"},
	{"testing/quick.Check", "DET111"},

	// concurrency
	{"(*sync.Mutex).Lock", "DET204"},
	{"(*sync.Mutex).Unlock", "pure"},
	{"(sync.Locker).Lock", "DET204"},
	{"(*sync.WaitGroup).Go", "DET201 0()"},
	{"(*sync.WaitGroup).Wait", "DET204"},
	{"(*sync.Once).Do", "DET205 0()"},
	{"sync.OnceValue", "DET205 0()"},
	{"(*sync.Pool).Get", "DET205"},
	{"(*sync.Map).Load", "pure"},
	{"(*sync.Map).Store", "recv!"},
	{"(*sync.Map).Range", "order 0()"},
	{"sync/atomic.AddInt64", "DET205"},
	{"(*sync/atomic.Pointer[T]).Load", "DET205"},
	{"os/signal.Notify", "DET206"},
	{"runtime.Gosched", "DET206"},
	{"runtime.SetFinalizer", "DET206"},
	{"runtime.KeepAlive", "pure"},
	{"weak.Make", "DET206"},
	{"unique.Make", "pure"},
	{"iter.Pull", "0()"},
	{"(*io.PipeReader).Read", "DET204"},
	{"builtin.close", "DET202"},

	// the outside world
	{"os.ReadFile", "DET301"},
	{"os.Stdin", "DET301"},
	{"os.Stdout", "DET306"},
	{"os.Args", "DET304"},
	{"os.Getenv", "DET304"},
	{"os.Getwd", "DET304"},
	{"os.Expand", "1()"},
	{"os.ErrNotExist", "pure"},
	{"os.IsNotExist", "pure"},
	{"(*io/fs.PathError).Error", "pure"},
	{"(*os.LinkError).Unwrap", "pure"},
	{"os.Exit", "DET303"},
	{"(*os.File).Read", "DET301"},
	{"(*os.File).Close", "recv!"},
	{"(*os.File).Name", "pure"},
	{"(io/fs.FS).Open", "recv.Open"},
	{"(embed.FS).ReadFile", "pure"},
	{"os/exec.Command", "DET303"},
	{"(*os/exec.ExitError).Error", "pure"},
	{"os/user.Current", "DET304"},
	{"path.Join", "pure"},
	{"path/filepath.Join", "pure"},
	{"path/filepath.Abs", "DET304"},
	{"path/filepath.WalkDir", "DET301 1()"},
	{"plugin.Open", "DET303"},
	{"syscall.Getenv", "DET304"},
	{"flag.String", "DET304"},
	{"(*flag.FlagSet).String", "pure"},
	{"net.Dial", "DET302"},
	{"net.LookupHost", "DET302"},
	{"(net.Conn).Read", "DET302"},
	{"(*net.conn).Write", "DET302"},
	{"net.ParseIP", "pure"},
	{"net.ErrClosed", "pure"},
	{"(*net.OpError).Timeout", "pure"},
	{"net/netip.ParseAddr", "pure"},
	{"net/url.Parse", "pure"},
	{"(*net/url.URL).String", "pure"},
	{"(net/url.Values).Set", "recv!"},
	{"net/http.Get", "DET302"},
	{"(*net/http.Client).Do", "DET302"},
	{"net/http.DefaultClient", "pure"},
	{"(net/http.RoundTripper).RoundTrip", "DET302"},
	{"net/http.NewRequest", "pure"},
	{"(net/http.Header).Set", "recv!"},
	{"(net/http.Header).Get", "pure"},
	{"net/http.StatusText", "pure"},
	{"net/http.ErrNoCookie", "pure"},
	{"net/http.Error", "0.Header,Write,WriteHeader"},
	{"(net/http.HandlerFunc).ServeHTTP", "recv()"},
	{"net/http/httptest.NewRecorder", "pure"},
	{"(*database/sql.DB).Query", "DET302"},
	{"database/sql.ErrNoRows", "pure"},
	{"(database/sql.NullString).Value", "pure"},
	{"runtime.NumCPU", "DET305"},
	{"runtime.GOOS", "DET305"},
	{"strconv.IntSize", "DET305"},
	{"encoding/binary.NativeEndian", "DET305"},
	{"mime.TypeByExtension", "DET305"},
	{"runtime/debug.ReadBuildInfo", "DET305"},
	{"runtime.Caller", "DET413"},
	{"runtime.FuncForPC", "pure"},
	{"runtime/debug.Stack", "DET413"},

	// logs and printing
	{"fmt.Println", "DET306 0[]*.Format,Error,GoString,String?"},
	{"fmt.Sprintf", "1[]*.Format,Error,GoString,String?"},
	{"fmt.Errorf", "1[]*.Format,Error,GoString,String?"},
	{"fmt.Fprintf", "0.Write 2[]*.Format,Error,GoString,String?"},
	{"fmt.Sscan", "1[]*.Scan?"},
	{"(fmt.Stringer).String", "recv.String?"},
	{"builtin.print", "DET306"},
	{"log.Printf", "DET306"},
	{"log.Fatal", "DET303"},
	{"log.New", "0.Write"},
	{"(*log.Logger).Println", "DET306"},
	{"log/slog.Info", "DET306"},
	{"(*log/slog.Logger).With", "pure"},
	{"log/slog.String", "pure"},
	{"log/slog.New", "0.Handle,Enabled,WithAttrs,WithGroup"},
	{"log/slog.NewTextHandler", "0.Write"},
	{"(*log/slog.TextHandler).Handle", "pure"},
	{"(log/slog.Handler).Handle", "DET306"},
	{"log/slog.SetDefault", "DET501"},

	// order and reflection
	{"maps.Keys", "order"},
	{"maps.Values", "order"},
	{"maps.All", "order"},
	{"maps.Clone", "pure"},
	{"maps.DeleteFunc", "order 1() 0!"},
	{"(reflect.Value).MapKeys", "order"},
	{"(reflect.Value).MapRange", "order"},
	{"(reflect.Value).Call", "DET903"},
	{"(reflect.Value).Pointer", "DET411"},
	{"(reflect.Value).SetInt", "recv!"},
	{"(reflect.Type).Name", "pure"},
	{"reflect.DeepEqual", "pure"},
	{"reflect.Select", "DET203"},
	{"unsafe.Sizeof", "pure"},

	// what calls back
	{"sort.Slice", "1() 0!"},
	{"sort.Sort", "0.Len,Less,Swap 0!"},
	{"sort.Strings", "0!"},
	{"(sort.Interface).Less", "recv.Less"},
	{"container/heap.Pop", "0.Len,Less,Swap,Push,Pop 0!"},
	{"slices.SortFunc", "1() 0!"},
	{"slices.Sorted", "0()"},
	{"slices.IndexFunc", "1()"},
	{"slices.Contains", "pure"},
	{"strings.Map", "0()"},
	{"strings.FieldsFunc", "1()"},
	{"strings.ToUpper", "pure"},
	{"(*strings.Builder).WriteString", "recv!"},
	{"(*strings.Builder).String", "pure"},
	{"(*bytes.Buffer).WriteTo", "0.Write recv!"},
	{"io.Copy", "0.Write,ReadFrom 1.Read,WriteTo"},
	{"io.MultiWriter", "0[].Write,WriteString"},
	{"io.Discard", "pure"},
	{"io.EOF", "pure"},
	{"(io.Writer).Write", "recv.Write"},
	{"bufio.NewWriter", "0.Write"},
	{"(*bufio.Writer).Flush", "recv!"},
	{"compress/gzip.NewReader", "0.Read,ReadByte"},
	{"encoding/json.Marshal", "0*.MarshalJSON,MarshalText,IsZero?"},
	{"encoding/json.Unmarshal", "1*.UnmarshalJSON,UnmarshalText? 1!"},
	{"encoding/json.NewEncoder", "0.Write"},
	{"(*encoding/gob.Encoder).Encode", "DET412 0*.GobEncode,MarshalBinary?"},
	{"(*encoding/base64.Encoding).EncodeToString", "pure"},
	{"(*text/template.Template).Execute", "0.Write 1*.*?"},
	{"(*text/template.Template).Funcs", "0[]() recv!"},
	{"html/template.ParseFiles", "DET301"},
	{"errors.New", "pure"},
	{"errors.As", "0.Is,As,Unwrap?"},
	{"(error).Error", "recv.Error?"},
	{"(*regexp.Regexp).MatchString", "pure"},
	{"(*regexp.Regexp).ReplaceAllStringFunc", "1()"},
	{"(*math/big.Int).Add", "recv!"},
	{"(*math/big.Int).Cmp", "pure"},
	{"(*container/list.List).PushBack", "recv!"},
	{"math.Sqrt", "pure"},
	{"image/png.Encode", "0.Write"},
	{"go/types.TypeString", "1()"},
	{"(go/types.Object).Name", "pure"},
	{"testing.Testing", "DET305"},
	{"(*testing.common).Logf", "DET306"},
}

func TestTellingSymbols(t *testing.T) {
	t.Parallel()
	found := symbols(t)
	for _, c := range telling {
		obj := found[c.symbol]
		if obj == nil {
			t.Errorf("the standard library has no %s", c.symbol)
			continue
		}
		e, known := Of(obj)
		if got := notation(e); !known || got != c.want {
			t.Errorf("%s: known %v, %s, want %s", c.symbol, known, got, c.want)
		}
	}
}

// notation writes an effect as the table does.
func notation(e Effect) string {
	var words []string
	add := func(is bool, word string) {
		if is {
			words = append(words, word)
		}
	}
	add(e.Rule != "", e.Rule)
	add(e.Order, "order")
	add(e.Local, "localtime")
	add(e.Zoned, "zoned")
	for _, c := range e.Calls {
		s := argument(c.Arg)
		if c.Elem {
			s += "[]"
		}
		if c.Deep {
			s += "*"
		}
		if c.Methods == nil {
			s += "()"
		} else {
			s += "." + strings.Join(c.Methods, ",")
		}
		if c.Benign {
			s += "?"
		}
		words = append(words, s)
	}
	for _, i := range e.Writes {
		words = append(words, argument(i)+"!")
	}
	add(len(words) == 0, "pure")
	return strings.Join(words, " ")
}

func argument(i int) string {
	if i == Receiver {
		return "recv"
	}
	return fmt.Sprint(i)
}

// TestMethodKnowsTheInterface: who embeds decides.
func TestMethodKnowsTheInterface(t *testing.T) {
	t.Parallel()
	std := stdlib(t)
	for _, c := range []struct{ path, typ, method, want string }{
		{"hash", "Hash", "Write", "pure"},
		{"hash", "Hash64", "Sum", "pure"},
		{"io", "ReadWriter", "Write", "recv.Write"},
		{"net", "Conn", "Write", "DET302"},
		{"net/http", "File", "Read", "DET301"},
		{"net", "Error", "Error", "pure"},
		{"context", "Context", "Err", "DUR104"},
	} {
		recv := std[c.path].Scope().Lookup(c.typ).Type()
		obj, _, _ := types.LookupFieldOrMethod(recv, false, std[c.path], c.method)
		e, known := Method(recv, obj.(*types.Func))
		if got := notation(e); !known || got != c.want {
			t.Errorf("%s.%s through %s: known %v, %s, want %s", c.typ, c.method, c.path, known, got, c.want)
		}
	}
}

// TestOfWhatIsNotKnown: other people's packages, and what a newer release adds where only a default or a pattern says
// that it is pure. A rule holds for what is new as well.
func TestOfWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		path, typ, name string
		want            string
	}{
		{"example.com/time", "", "Now", "unknown"},
		{"strings", "", "BrandNew", "unknown"},
		{"strings", "Builder", "BrandNew", "unknown"},
		{"net/url", "Values", "BrandNew", "unknown"},
		{"math/rand", "Rand", "BrandNew", "unknown"}, // fits Rand.*
		{"math/rand", "", "BrandNew", "DET111"},
		{"os", "File", "BrandNew", "DET301"},
		{"os", "Process", "BrandNew", "DET303"}, // fits Process.*
		{"encoding/json/v2", "", "BrandNew", "unknown"},
		{"strings", "", "ToUpper", "pure"},
	} {
		got := "unknown"
		if e, known := Of(function(c.path, c.typ, c.name)); known {
			got = notation(e)
		}
		if got != c.want {
			t.Errorf("%s %s.%s: %s, want %s", c.path, c.typ, c.name, got, c.want)
		}
	}
}

// function makes an object as the type checker does: a function, or the method of a struct.
func function(path, typ, name string) types.Object {
	pkg := types.NewPackage(path, path[strings.LastIndex(path, "/")+1:])
	var recv *types.Var
	if typ != "" {
		named := types.NewNamed(types.NewTypeName(token.NoPos, pkg, typ, nil), types.NewStruct(nil, nil), nil)
		recv = types.NewVar(token.NoPos, pkg, "", named)
	}
	return types.NewFunc(token.NoPos, pkg, name, types.NewSignatureType(recv, nil, nil, nil, nil, false))
}

func TestOfOtherObjects(t *testing.T) {
	t.Parallel()
	pkg := types.NewPackage("time", "time")
	field := types.NewField(token.NoPos, pkg, "C", types.Typ[types.Int], false)
	if e, known := Of(field); !known || notation(e) != "pure" {
		t.Errorf("a field: known %v, %s, want pure", known, notation(e))
	}
	if e, known := Of(types.Universe.Lookup("nil")); known {
		t.Errorf("nil: known, %s, want unknown", notation(e))
	}
}

func TestStd(t *testing.T) {
	t.Parallel()
	var yes, no []string
	for _, path := range []string{
		"time", "net/http", "encoding/json/v2", "unsafe", "crypto/brandnew", "internal/abi", "vendor/golang.org/x/net/idna",
		"main", "command-line-arguments", "a", "myapp/time", "golang.org/x/tools/go/packages", "example.com", "",
	} {
		if Std(path) {
			yes = append(yes, path)
		} else {
			no = append(no, path)
		}
	}
	if diff := cmp.Diff([]string{"time", "net/http", "encoding/json/v2", "unsafe", "crypto/brandnew", "internal/abi", "vendor/golang.org/x/net/idna"}, yes); diff != "" {
		t.Errorf("of the standard library (-want +got):\n%s\nand not: %v", diff, no)
	}
	for path := range stdlib(t) {
		if !Std(path) {
			t.Errorf("%s is of the standard library", path)
		}
	}
}

// TestRules: a misspelt rule would be reported under a name that nobody can look up.
func TestRules(t *testing.T) {
	t.Parallel()
	rules := []string{
		"DET101", "DET102", "DET103", "DET104", "DET105", "DET111", "DET112",
		"DET201", "DET202", "DET203", "DET204", "DET205", "DET206",
		"DET301", "DET302", "DET303", "DET304", "DET305", "DET306",
		"DET411", "DET412", "DET413", "DET501", "DET903", "DUR104",
	}
	check := func(l *line) {
		if l != nil && l.effect.Rule != "" && !slices.Contains(rules, l.effect.Rule) {
			t.Errorf("%s: %s is no rule that the standard library breaks by itself", l.where, l.effect.Rule)
		}
	}
	for _, p := range std().packages {
		check(p.base)
		for _, l := range p.patterns {
			check(l)
		}
		for _, l := range p.exact {
			check(l)
		}
	}
}
