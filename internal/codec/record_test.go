package codec_test

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/codec"
	"github.com/durablegen/durablegen/internal/history"
)

// seen is a backend that keeps what it is told to store.
type seen struct {
	backend.Backend
	record   history.Record
	state    backend.State
	archive  backend.Archive
	signal   []byte
	info     backend.Info
	deferred func()
}

func (s *seen) Info() backend.Info                                            { return s.info }
func (s *seen) Append(a backend.Append, _ func(uint64, error))                { s.record = a.Record }
func (s *seen) PutState(st backend.State, _ uint64, _ func(uint64, error))    { s.state = st }
func (s *seen) PutArchive(a backend.Archive, _ uint64, _ func(uint64, error)) { s.archive = a }
func (s *seen) Signal(_ string, data []byte)                                  { s.signal = data }
func (s *seen) Clock() backend.Clock                                          { return s }
func (s *seen) Now() time.Time                                                { return time.Time{} }
func (s *seen) After(_ time.Duration, fn func()) func()                       { s.deferred = fn; return func() {} }

func wrap(t *testing.T, codecs ...codec.Codec) (*codec.Backend, *seen) {
	t.Helper()
	s := &seen{info: backend.Info{MaxPayload: 16 << 20}}
	b, err := codec.New(s, codecs...)
	if err != nil {
		t.Fatal(err)
	}
	return b, s
}

const secret = "tell nobody"

// full makes a value whose every field holds the secret, as far as it is text or a payload. A record within a record is
// a Done.
func full(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	switch {
	case t == reflect.TypeFor[history.Payload]():
		v.SetBytes([]byte(`"` + secret + `"`))
		return v
	case t == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)))
		return v
	case t == reflect.TypeFor[history.Record]():
		v.Set(full(reflect.TypeFor[*history.Done]()))
		return v
	}
	switch t.Kind() {
	case reflect.String:
		v.SetString(secret)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(1)
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(77)
	case reflect.Float64:
		v.SetFloat(2)
	case reflect.Pointer:
		v.Set(reflect.New(t.Elem()))
		v.Elem().Set(full(t.Elem()))
	case reflect.Slice:
		v.Set(reflect.Append(v, full(t.Elem())))
	case reflect.Map:
		v.Set(reflect.MakeMap(t))
		v.SetMapIndex(full(t.Key()), full(t.Elem()))
	case reflect.Struct:
		for n := range t.NumField() {
			switch f := t.Field(n); {
			case f.Name == "Sealed" || f.Name == "Err":
			case f.Name == "Cause": // a failure within a failure, and no further
				v.Field(n).Set(reflect.ValueOf(&history.Failure{Message: secret}))
			case f.Name == "Causes":
				v.Field(n).Set(reflect.ValueOf([]*history.Failure{{Message: secret}}))
			default:
				v.Field(n).Set(full(f.Type))
			}
		}
	}
	return v
}

// clear lists the paths below v at which the secret can be read, or the hash that tells of it.
func clear(path string, v reflect.Value, found *[]string) {
	if v.Type() == reflect.TypeFor[history.Payload]() {
		if strings.Contains(string(v.Bytes()), secret) {
			*found = append(*found, path)
		}
		return
	}
	switch v.Kind() {
	case reflect.String:
		if strings.Contains(v.String(), secret) {
			*found = append(*found, path)
		}
	case reflect.Uint32:
		if strings.HasSuffix(path, "Hash") && v.Uint() != 0 {
			*found = append(*found, path)
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			clear(path, v.Elem(), found)
		}
	case reflect.Slice:
		for n := range v.Len() {
			clear(path, v.Index(n), found)
		}
	case reflect.Map:
		if v.Len() > 0 {
			*found = append(*found, path)
		}
	case reflect.Struct:
		for n := range v.NumField() {
			if f := v.Type().Field(n); f.IsExported() && f.Type != reflect.TypeFor[time.Time]() {
				clear(path+"."+f.Name, v.Field(n), found)
			}
		}
	}
}

var (
	parent  = []string{"Parent.Address.Group", "Parent.Address.ID"}
	start   = slices.Concat([]string{"Orchestrator", "Version"}, parent, []string{"Root", "Tags", "Notify", "Claim"}, below("Prior.Messages.Record", done), []string{"Trace", "TraceState", "Baggage"})
	failure = []string{"Kind", "Name"}
	done    = slices.Concat([]string{"Name"}, below("Failure", failure), []string{"Site"})
	turn    = slices.Concat(
		[]string{"Slots.Name", "Slots.Target.Group", "Slots.Target.ID", "Slots.Site", "Slots.Child.Version", "Slots.Child.Tags", "Slots.Hash" /* in memory only */, "End.Status"},
		below("End.Failure", failure), below("End.Base.Start", start), []string{"End.Base.Version"},
		[]string{"End.Base.Buffered.Name", "End.Base.Buffered.ID", "End.Base.Buffered.Trace", "End.Base.Seen.ID"}, below("End.Base.Canceled", failure), below("End.Base.Held.Record", done))
)

func below(path string, fields []string) []string {
	var out []string
	for _, f := range fields {
		out = append(out, path+"."+f)
	}
	return out
}

// TestWhatStaysClear: of everything that a record, a state or an archive holds, only this is stored as it is. A field
// that is new must be decided about: encode it in pass, or name it here and in docs/payloads.md.
func TestWhatStaysClear(t *testing.T) {
	t.Parallel()
	b, store := wrap(t, aesgcm(t, "k1"))
	type record = history.Record
	for _, c := range []struct {
		value any
		want  []string
	}{
		{&history.Start{}, start},
		{&history.Done{}, done},
		{&history.Fired{}, nil},
		{&history.Event{}, []string{"Name", "ID", "Trace"}},
		{&history.Control{}, slices.Concat([]string{"Verb", "ID"}, parent, []string{"Child"})},
		{&history.Task{}, []string{"Name", "Site", "Trace", "TraceState", "Baggage"}},
		{&history.Timer{}, []string{"Task.Name", "Task.Site", "Task.Trace", "Task.TraceState", "Task.Baggage"}},
		{&history.Turn{}, turn},
		{backend.State{}, slices.Concat([]string{"Address.Group", "Address.ID", "Name", "Version", "Status"}, parent, []string{"Root", "Tags"}, below("Claim", start))},
		{backend.Archive{}, slices.Concat([]string{"Address.Group", "Address.ID", "Status"}, below("Late.Record", done), below("Messages.Record", done))},
	} {
		t.Run(fmt.Sprintf("%T", c.value), func(t *testing.T) {
			v := full(reflect.TypeOf(c.value))
			before := full(reflect.TypeOf(c.value))
			var got any
			switch in := v.Interface().(type) {
			case record:
				b.Append(backend.Append{Record: in}, nil)
				got = store.record
				opened, err := b.Open(store.record)
				if diff := cmp.Diff(in, opened); err != nil || diff != "" {
					t.Errorf("opened again: error %v (-want +got):\n%s", err, diff)
				}
			case backend.State:
				b.PutState(in, 0, nil)
				got = store.state
			case backend.Archive:
				b.PutArchive(in, 0, nil)
				got = store.archive
			}
			var found []string
			clear("", reflect.ValueOf(got), &found)
			if diff := cmp.Diff(c.want, trimmed(found)); diff != "" {
				t.Errorf("clear fields (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(before.Interface(), v.Interface()); diff != "" {
				t.Errorf("the caller's own value was changed (-before +after):\n%s", diff)
			}
		})
	}
}

func trimmed(paths []string) []string {
	var out []string
	for _, p := range paths {
		out = append(out, strings.TrimPrefix(p, "."))
	}
	return out
}

// TestSeamIsKnown: a method that the seam gets must be looked at, whether it carries payloads.
func TestSeamIsKnown(t *testing.T) {
	t.Parallel()
	encoded := []string{"Append", "FindStates", "FollowLog", "GetArchive", "GetState", "Inbox", "ListStates", "Listen", "Load", "LoadAfter", "PutArchive", "PutState", "Retry", "Signal", "Tasks"}
	harmless := []string{"CancelTimer", "Clock", "Close", "Connected", "CountStates", "DeleteState", "EnsureActivity", "EnsureGroup", "Floor", "Group", "Info", "ListArchives", "ListLog", "ListTimers", "LiveStates", "MayOwn", "Meta", "Queues", "Settle", "Shorten", "Sweep", "Topic", "Usage"}
	want := slices.Sorted(slices.Values(slices.Concat(encoded, harmless)))
	var got []string
	for m := range reflect.TypeFor[backend.Backend]().Methods() {
		got = append(got, m.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("methods of the seam (-want +got): say in codec.Backend what becomes of its payloads:\n%s", diff)
	}
}

// retries is a store whose next attempt of everything is a sealed one.
type retries struct {
	backend.Backend
	timer *history.Timer
}

func (r retries) Info() backend.Info { return backend.Info{MaxPayload: 16 << 20} }

func (r retries) Retry(_ history.Address, _ history.Ref, done func(*history.Timer, error)) {
	done(r.timer, nil)
}

// TestRetryIsOpened: the next attempt of an activity is read in clear, and the store keeps its own.
func TestRetryIsOpened(t *testing.T) {
	t.Parallel()
	b, store := wrap(t, aesgcm(t, "k1"))
	args := history.Payload(`"` + secret + `"`)
	b.Append(backend.Append{Record: &history.Timer{Task: &history.Task{Name: "a", Attempt: 2, Args: args}}}, nil)
	sealed := store.record.(*history.Timer)
	b, err := codec.New(retries{timer: sealed}, aesgcm(t, "k1"))
	if err != nil {
		t.Fatal(err)
	}
	b.Retry(history.Address{}, history.Ref{}, func(got *history.Timer, err error) {
		if err != nil || string(got.Task.Args) != string(args) {
			t.Errorf("the arguments are %s, error %v", got.Task.Args, err)
		}
	})
	if strings.Contains(string(sealed.Task.Args), secret) {
		t.Error("what is stored was changed, or not sealed")
	}
}

// TestSignalsAreSealedWhole: hints carry results. Heartbeats are clear, for workers with other keys.
func TestSignalsAreSealedWhole(t *testing.T) {
	t.Parallel()
	b, store := wrap(t, aesgcm(t, "k1"))
	for topic, clear := range map[string]bool{"end.x": false, "parked.group": false, "anything": false, backend.BeatTopic + "group": true} {
		b.Signal(topic, []byte(secret))
		if got := strings.Contains(string(store.signal), secret); got != clear {
			t.Errorf("a signal on %s: clear %t, want %t", topic, got, clear)
		}
	}
}

// TestEncodedOnce: what could not be decoded is stored again as it was; a user's text never passes as sealed.
func TestEncodedOnce(t *testing.T) {
	t.Parallel()
	b, store := wrap(t, aesgcm(t, "k1"))
	stranger, theirs := wrap(t, aesgcm(t, "k2"))
	f := &history.Failure{Message: secret}
	stranger.Append(backend.Append{Record: &history.Done{Name: "a", Hash: 7, Failure: f}}, nil)
	stranger.PutState(backend.State{Failure: secret}, 0, nil)
	sealed := theirs.record

	left, err := b.Open(sealed)
	if !errors.Is(err, backend.ErrCodec) || !strings.Contains(err.Error(), `key "k2"`) {
		t.Errorf("error %v, want ErrCodec that names the key k2", err)
	}
	b.Append(backend.Append{Record: left}, nil)
	again, err := stranger.Open(store.record)
	if diff := cmp.Diff(&history.Done{Name: "a", Hash: 7, Failure: f}, again); err != nil || diff != "" {
		t.Errorf("stored again by a stranger: error %v (-want +got):\n%s", err, diff)
	}

	forged := &history.Control{Verb: history.Terminate, Reason: theirs.state.Failure} // copied out of the hub by a user
	stranger.Append(backend.Append{Record: forged}, nil)
	read, err := stranger.Open(theirs.record)
	if diff := cmp.Diff(forged, read); err != nil || diff != "" {
		t.Errorf("a text that looks sealed: error %v (-want +got):\n%s", err, diff)
	}
}

// TestErrorsOfCodecs: a payload that cannot be encoded is not stored.
func TestErrorsOfCodecs(t *testing.T) {
	t.Parallel()
	b, store := wrap(t, broken{})
	var got error
	b.Append(backend.Append{Record: &history.Event{Name: "e", Payload: history.Payload("1")}}, func(_ uint64, err error) { got = err })
	if got != nil || store.record != nil || store.deferred == nil {
		t.Fatalf("stored %v, answered inside the call: %v", store.record, got)
	}
	store.deferred()
	if !errors.Is(got, errBroken) {
		t.Errorf("error %v, want the codec's", got)
	}
	if _, err := b.Open(&history.Event{Payload: history.Seal("broken", []byte("x"))}); !errors.Is(err, backend.ErrCodec) || !errors.Is(err, errBroken) {
		t.Errorf("error %v, want ErrCodec and the codec's", err)
	}
	if _, err := b.Open(&history.Event{Payload: history.Seal("other", nil)}); !errors.Is(err, backend.ErrCodec) || !strings.Contains(err.Error(), `"other"`) {
		t.Errorf("error %v, want ErrCodec that names the codec", err)
	}
}

var errBroken = errors.New("broken")

type broken struct{}

func (broken) ID() string                    { return "broken" }
func (broken) Encode([]byte) ([]byte, error) { return nil, errBroken }
func (broken) Decode([]byte) ([]byte, error) { return nil, errBroken }

// TestLastErrFits: history cuts the text of a task's last failure, and must not cut what is sealed.
func TestLastErrFits(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 500, 700, 5000} {
		b, store := wrap(t, aesgcm(t, strings.Repeat("k", 64)))
		text := strings.Repeat("ü", n)
		b.Append(backend.Append{Record: &history.Task{Name: "a", LastErr: text}}, nil)
		r, err := b.Open(throughHistory(t, store.record))
		if got := r.(*history.Task).LastErr; err != nil || got == "" || !strings.HasPrefix(text, got) {
			t.Errorf("%d characters come back as %q, error %v", n, got, err)
		}
	}
}

// throughHistory stores a record and reads it.
func throughHistory(t *testing.T, r history.Record) history.Record {
	t.Helper()
	fields, body, err := history.Encode(r)
	if err != nil {
		t.Fatal(err)
	}
	r, err = history.Decode(r.Kind(), history.HeadOf(fields), body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
