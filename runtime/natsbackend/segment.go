package natsbackend

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"github.com/durablegen/durablegen/internal/backend"
	"github.com/durablegen/durablegen/internal/history"
)

// A segment is the index of a range of sequences of the bucket of states. It is computed when the stream has passed the range:
// what is in it can vanish after that, replaced, deleted or expired, but not change, and nothing comes in. So a segment
// shows all that is there for ever, and perhaps more; who uses it reads the states that it points at.
//
// It is kept as two values, its lists and its words, since most queries need only the first.
type segment struct {
	after, to uint64    // the range is what is above after, up to to
	at        time.Time // no message up to to is younger
	sum       uint32    // of its words
	lists     []list

	rev uint64 // of its key
}

// list is the states of one orchestrator in one status. That without a status is of the marks of deletions.
type list struct {
	kind
	count int

	oldest, newest int64  // of the times of creation, in ms
	entries        []byte // for each the differences of sequence and time to the one before
}

// entry points at a state.
type entry struct {
	seq     uint64
	created int64 // ms
}

// row is what the index takes from a message of the bucket.
type row struct {
	entry
	status history.Status
	name   string
	words  []string

	value []byte // the state, if it may be copied
	until int64  // as copied.until
}

// Words begin with what they are. All but ids, which are looked for by their beginning too, are hashed.
const (
	wordID     = "i"
	wordParent = "p"
	wordRoot   = "r" // not of the topmost instance itself
	wordTag    = "t"
)

func hashed(kind, text string) string {
	h := fnv.New32a()
	h.Write([]byte(text))
	return string(h.Sum([]byte(kind)))
}

const (
	segmentVersion = 1
	tellingBytes   = 3 // an id is kept up to where it differs from its neighbours, and this much more
)

var errSegment = errors.New("natsbackend: it is no segment of the index")

// rowOf reads a message of the bucket; value is its body.
func rowOf(m stored, id string, value []byte) (r row, err error) {
	r.seq = m.seq
	if m.header.Get(headerOperation) != "" {
		return r, nil
	}
	var s struct {
		Name    string            `json:"name"`
		Status  history.Status    `json:"status"`
		Created time.Time         `json:"created"`
		Parent  *history.Parent   `json:"parent"`
		Root    string            `json:"root"`
		Tags    map[string]string `json:"tags"`
	}
	if err := json.Unmarshal(value, &s); err != nil {
		return r, fmt.Errorf("natsbackend: the state of %s is not understood: %w", id, err)
	}
	if s.Status == "" {
		return r, fmt.Errorf("natsbackend: the state of %s has no status", id)
	}
	r.status, r.name, r.created = s.Status, s.Name, s.Created.UnixMilli()
	r.words = append(r.words, wordID+id)
	if s.Parent != nil {
		r.words = append(r.words, hashed(wordParent, s.Parent.ID))
	}
	if root := history.RootID(s.Root, s.Parent, id); root != id {
		r.words = append(r.words, hashed(wordRoot, root))
	}
	for k, v := range s.Tags {
		r.words = append(r.words, hashed(wordTag, k+"="+v))
	}
	return r, nil
}

// kind is what the entries of a list have in common.
type kind struct {
	status history.Status
	name   string
}

// word is one of the words of a segment, and the states that have it. cut: it is the beginning of one.
type word struct {
	text string
	cut  bool
	seqs []uint64
}

// sortRows puts the rows of a range, which come in the order of their sequences, into lists and words.
func sortRows(rows []row) (lists map[kind][]entry, words []word) {
	lists = map[kind][]entry{}
	byText := map[string][]uint64{}
	for _, r := range rows {
		k := kind{r.status, r.name}
		lists[k] = append(lists[k], r.entry)
		for _, w := range r.words {
			byText[w] = append(byText[w], r.seq)
		}
	}
	texts := sortedKeys(byText, cmp.Compare[string])
	for n, text := range texts {
		telling := 0
		if n > 0 {
			telling = common(text, texts[n-1])
		}
		if n+1 < len(texts) {
			telling = max(telling, common(text, texts[n+1]))
		}
		kept := text
		if strings.HasPrefix(text, wordID) {
			kept = text[:min(len(text), telling+1+tellingBytes)]
		}
		words = append(words, word{kept, len(kept) < len(text), byText[text]})
	}
	return lists, words
}

func appendHead(after, to uint64) []byte {
	return binary.AppendUvarint(binary.AppendUvarint([]byte{segmentVersion}, after), to)
}

func encodeLists(after, to uint64, at time.Time, sum uint32, lists map[kind][]entry) []byte {
	b := binary.AppendVarint(appendHead(after, to), at.UnixNano())
	b = binary.AppendUvarint(b, uint64(sum))
	b = binary.AppendUvarint(b, uint64(len(lists)))
	for _, k := range sortedKeys(lists, func(a, b kind) int { return cmp.Or(cmp.Compare(a.status, b.status), cmp.Compare(a.name, b.name)) }) {
		b = appendList(b, k, after, lists[k])
	}
	return b
}

// encodeWords encodes words that are sorted; none has the text of another one and is cut like it.
func encodeWords(after, to uint64, words []word) []byte {
	b := binary.AppendUvarint(appendHead(after, to), uint64(len(words)))
	before := ""
	for _, w := range words {
		b = appendWord(b, before, w, after)
		before = w.text
	}
	return b
}

func sortedKeys[K comparable, V any](m map[K]V, compare func(a, b K) int) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compare)
	return keys
}

// common counts the bytes with which both begin.
func common(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendList(b []byte, k kind, after uint64, entries []entry) []byte {
	oldest, newest := entries[0].created, entries[0].created
	for _, e := range entries {
		oldest, newest = min(oldest, e.created), max(newest, e.created)
	}
	b = appendText(appendText(b, string(k.status)), k.name)
	b = binary.AppendUvarint(b, uint64(len(entries)))
	b = binary.AppendUvarint(binary.AppendVarint(b, oldest), uint64(newest-oldest))
	var body []byte
	seq, created := after, oldest
	for _, e := range entries {
		body = binary.AppendVarint(binary.AppendUvarint(body, e.seq-seq), e.created-created)
		seq, created = e.seq, e.created
	}
	return appendText(b, string(body))
}

// appendWord leaves out what the word has in common with the one before.
func appendWord(b []byte, before string, w word, after uint64) []byte {
	same := common(before, w.text)
	size := uint64(len(w.text)-same) << 1
	if w.cut {
		size |= 1
	}
	b = binary.AppendUvarint(binary.AppendUvarint(b, uint64(same)), size)
	b = append(b, w.text[same:]...)
	b = binary.AppendUvarint(b, uint64(len(w.seqs)))
	for _, seq := range w.seqs {
		b = binary.AppendUvarint(b, seq-after)
		after = seq
	}
	return b
}

// reader reads what was encoded; bad tells that it was something else.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.b, r.bad = nil, true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.b, r.bad = nil, true
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) text() string { return string(r.bytes(r.uint())) }

// version reads that of the form.
func (r *reader) version() *reader {
	if v := r.bytes(1); len(v) != 1 || v[0] != segmentVersion {
		r.bad = true
	}
	return r
}

// head reads the range.
func (r *reader) head() (after, to uint64) {
	after, to = r.version().uint(), r.uint()
	r.bad = r.bad || to <= after
	return after, to
}

func decodeSegment(lists []byte, rev uint64) (*segment, error) {
	r := reader{b: lists}
	s := &segment{rev: rev}
	s.after, s.to = r.head()
	s.at, s.sum = time.Unix(0, r.int()), uint32(r.uint())
	for n := r.uint(); n > 0 && !r.bad; n-- {
		l := list{kind: kind{history.Status(r.text()), r.text()}, count: int(r.uint()), oldest: r.int()}
		l.newest = l.oldest + int64(r.uint())
		l.entries = r.bytes(r.uint())
		r.bad = r.bad || l.count < 1 || l.count > len(l.entries)
		s.lists = append(s.lists, l)
	}
	if r.bad || len(r.b) > 0 {
		return nil, errSegment
	}
	return s, nil
}

// all gives the entries of a list of a segment.
func (l *list) all(s *segment, yield func(entry) bool) {
	r := reader{b: l.entries}
	e := entry{s.after, l.oldest}
	for range l.count {
		e.seq += r.uint()
		e.created += r.int()
		if r.bad || !yield(e) {
			return
		}
	}
}

// term is words of which a state must have at least one.
type term []want

type want struct {
	text   []byte
	prefix bool // or one that begins with it
}

func (w want) fits(text []byte, cut bool) bool {
	return cut && bytes.HasPrefix(w.text, text) || !cut && bytes.Equal(text, w.text) || w.prefix && bytes.HasPrefix(text, w.text)
}

// termsOf gives what a query asks of the words.
func termsOf(q *backend.Query) (terms []term) {
	exactly := func(texts ...string) (t term) {
		for _, text := range texts {
			t = append(t, want{text: []byte(text)})
		}
		return t
	}
	if q.IDPrefix != "" {
		terms = append(terms, term{{[]byte(wordID + q.IDPrefix), true}})
	}
	if q.ParentID != "" {
		terms = append(terms, exactly(hashed(wordParent, q.ParentID)))
	}
	if q.RootID != "" {
		terms = append(terms, exactly(hashed(wordRoot, q.RootID), wordID+q.RootID))
	}
	for k, v := range q.Tags {
		terms = append(terms, exactly(hashed(wordTag, k+"="+v)))
	}
	return terms
}

// sumOf tells whether words are those that the lists of a segment were stored with.
func sumOf(words []byte) uint32 { return crc32.ChecksumIEEE(words) }

// findWords gives the sequences of the states that have what every term asks for, and perhaps some more.
func findWords(b []byte, terms []term) (seqs []uint64, err error) {
	found := make([][]uint64, len(terms))
	var which []int
	err = readWords(b, func(text []byte, cut bool) bool {
		which = which[:0]
		for k, t := range terms {
			if slices.ContainsFunc(t, func(w want) bool { return w.fits(text, cut) }) {
				which = append(which, k)
			}
		}
		return len(which) > 0
	}, func(seq uint64) {
		for _, k := range which {
			found[k] = append(found[k], seq)
		}
	})
	for k, f := range found {
		slices.Sort(f)
		if k == 0 {
			seqs = slices.Compact(f)
			continue
		}
		seqs = slices.DeleteFunc(seqs, func(seq uint64) bool { _, ok := slices.BinarySearch(f, seq); return !ok })
	}
	return seqs, err
}

// readWords calls begin for every word, with a text that is only lent, and yield for its sequences if that is true.
func readWords(b []byte, begin func(text []byte, cut bool) bool, yield func(seq uint64)) error {
	r := reader{b: b}
	after, _ := r.head()
	var text []byte
	for n := r.uint(); n > 0 && !r.bad; n-- {
		same, size := r.uint(), r.uint()
		if same > uint64(len(text)) {
			return errSegment
		}
		text = append(text[:same], r.bytes(size>>1)...)
		wanted := begin(text, size&1 == 1)
		seq := after
		for k := r.uint(); k > 0 && !r.bad; k-- {
			if seq += r.uint(); wanted {
				yield(seq)
			}
		}
	}
	if r.bad || len(r.b) > 0 {
		return errSegment
	}
	return nil
}

// decodeWords is for segments that are put together.
func decodeWords(b []byte) (words []word, err error) {
	err = readWords(b, func(text []byte, cut bool) bool {
		words = append(words, word{text: string(text), cut: cut})
		return true
	}, func(seq uint64) {
		w := &words[len(words)-1]
		w.seqs = append(w.seqs, seq)
	})
	return words, err
}
