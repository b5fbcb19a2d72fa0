package demo

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/durablegen/durablegen/examples/membership/club"
	"github.com/durablegen/durablegen/examples/membership/web"
	"github.com/durablegen/durablegen/examples/membership/world"
)

const columns = "name,email,phone,card,answers,opens,board,later,expected\n"

func TestRead(t *testing.T) {
	t.Parallel()
	got, err := Read(strings.NewReader(columns +
		"Ada,ada@example.org,+49151,tok_good,wrong right,yes,approve,cancel,cancelled\n" +
		"Bob,bob@example.org,+49152,tok_good,,no,silent,,phone not verified\n"))
	if err != nil {
		t.Fatal(err)
	}
	want := []Persona{
		{Name: "Ada", Email: "ada@example.org", Phone: "+49151", Card: "tok_good", Answers: []string{"wrong", "right"}, Opens: true, Board: "approve", Later: "cancel", Expected: Cancelled},
		{Name: "Bob", Email: "bob@example.org", Phone: "+49152", Card: "tok_good", Answers: []string{}, Board: "silent", Expected: string(club.PhoneUnverified)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("people (-want +got)\n%s", diff)
	}
}

func TestReadSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, table, want string }{
		{"empty", "", "read the header"},
		{"other columns", "a,b,c,d,e,f,g,h,i\n", "the columns are"},
		{"short line", columns + "Ada,ada@example.org\n", "wrong number of fields"},
		{"answer", columns + "Ada,a@example.org,+4,tok,maybe,yes,approve,,joined\n", `line 2: answers: "maybe"`},
		{"opens", columns + "Ada,a@example.org,+4,tok,right,perhaps,approve,,joined\n", `line 2: opens: "perhaps"`},
		{"board", columns + "Ada,a@example.org,+4,tok,right,yes,hm,,joined\n", `line 2: board: "hm"`},
		{"later", columns + "Ada,a@example.org,+4,tok,right,yes,approve,sing,joined\n", `line 2: later: "sing"`},
		{"expected", columns + "Ada,a@example.org,+4,tok,right,yes,approve,,happy\n", `line 2: expected: "happy"`},
		{"address twice", columns + strings.Repeat("Ada,a@example.org,+4,tok,right,yes,approve,,joined\n", 2), "line 3: a@example.org has applied in line 2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Read(strings.NewReader(test.table)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("err = %v, want one with %q", err, test.want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(columns + "Ada,ada@example.org,+49151,tok_good,right,yes,approve,,joined\n")
	f.Add("\"")
	f.Fuzz(func(t *testing.T, table string) {
		people, err := Read(strings.NewReader(table))
		for _, p := range people {
			if err == nil && p.Expected == "" {
				t.Errorf("%+v has no expected end", p)
			}
		}
	})
}

// The applicants of the demo must be people whom the form accepts, and 200 of them with every end.
func TestApplicantsOfTheDemo(t *testing.T) {
	t.Parallel()
	file, err := os.Open("../testdata/applicants.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	people, err := Read(file)
	if err != nil {
		t.Fatal(err)
	}
	ends := map[string]bool{}
	for _, p := range people {
		ends[p.Expected] = true
		if faults := club.NewApplicant("abcdefghijklmno2", p.Name, p.Email, p.Phone, p.Card).Faults(); len(faults) > 0 {
			t.Errorf("%s: %v", p.Name, faults)
		}
	}
	if len(people) != 200 || len(ends) != len(Ends) {
		t.Errorf("%d people with %d ends, want 200 with %d", len(people), len(ends), len(Ends))
	}
}

// page is what a person sees; the changes make it so.
func page(changes ...func(*web.Application)) web.Application {
	p := web.Application{
		Dossier: club.Dossier{
			Open: true, Progress: club.Progress{Step: club.Verifying},
			Phone: club.Check{Sent: true, TriesLeft: 3}, Email: club.Check{Sent: true, TriesLeft: 3},
		},
		Texts: []world.Delivery{{Message: club.Message{Body: "The club still waits."}}, {Message: club.Message{Body: "4711 is your code for the club."}}},
		Mails: []world.Delivery{{Message: club.Message{Link: "/applications/x"}}, {Message: club.Message{Link: "/applications/x/confirm?token=T"}}},
	}
	for _, change := range changes {
		change(&p)
	}
	return p
}

func triesLeft(n int) func(*web.Application) {
	return func(p *web.Application) { p.Dossier.Phone.TriesLeft = n }
}

func at(step club.Step) func(*web.Application) {
	return func(p *web.Application) { p.Dossier.Progress.Step = step }
}

func decided(d club.Decision) func(*web.Application) {
	return func(p *web.Application) {
		p.Dossier = club.Dossier{Outcome: club.Outcome{Decision: d}}
		p.Status.Done = true
	}
}

func season(n int) func(*web.Application) {
	return func(p *web.Application) { p.Dossier.Standing.Season.Number = n }
}

func TestPersonsMoves(t *testing.T) {
	t.Parallel()
	type look struct {
		page web.Application
		want move
	}
	code := func(value string) move { return move{Post: "code", Field: "code", Value: value} }
	link := move{Open: "/applications/x/confirm?token=T"}
	tests := []struct {
		name    string
		persona Persona
		looks   []look
	}{
		{"reads code and mail", Persona{Answers: []string{"right"}, Opens: true}, []look{
			{page(), code("4711")}, {page(), link}, {page(), move{}},
		}},
		{"waits for the text", Persona{Answers: []string{"right"}}, []look{
			{page(func(p *web.Application) { p.Dossier.Phone = club.Check{} }), move{}},
			{page(func(p *web.Application) { p.Texts = nil }), move{}},
		}},
		{"types wrong codes, each after seeing the last one fail", Persona{Answers: []string{"wrong", "right"}}, []look{
			{page(), code("5711")}, {page(), move{}}, {page(triesLeft(2)), code("4711")},
		}},
		{"never answers", Persona{}, []look{{page(), move{}}, {page(triesLeft(3)), move{}}}},
		{"withdraws at once", Persona{Later: "withdraw"}, []look{
			{page(), move{Post: "withdraw"}}, {page(), move{}},
		}},
		{"withdraws at the board", Persona{Later: "withdraw", Answers: []string{"right"}}, []look{
			{page(), code("4711")}, {page(), move{}}, {page(at(club.AskingBoard)), move{Post: "withdraw"}}, {page(at(club.AskingBoard)), move{}},
		}},
		{"too late to withdraw", Persona{Later: "withdraw", Answers: []string{"right"}}, []look{{page(at(club.CollectingFee)), move{}}}},
		{"ends as decided", Persona{}, []look{{page(decided(club.CardDeclined)), move{End: "card declined"}}}},
		{"joins", Persona{}, []look{{page(decided(club.Joined)), move{End: "joined"}}}},
		{"cancels", Persona{Later: "cancel"}, []look{
			{page(decided(club.Joined)), move{}},
			{page(decided(club.Joined), season(1)), move{Post: "cancel"}},
			{page(decided(club.Joined), season(1)), move{}},
			{page(decided(club.Joined), func(p *web.Application) { p.Dossier.Leaving = club.Cancelled }), move{End: Cancelled}},
		}},
		{"renews", Persona{Later: "renew"}, []look{
			{page(decided(club.Joined), season(1)), move{Post: "pay-ahead", Field: "season", Value: "2"}},
			{page(decided(club.Joined), season(2), func(p *web.Application) { p.Dossier.Standing.Overdue = true }), move{}},
			{page(decided(club.Joined), season(2)), move{End: Renewed}},
		}},
		{"lapses", Persona{Later: "renew"}, []look{
			{page(decided(club.Joined), func(p *web.Application) { p.Dossier.Leaving = club.Lapsed }), move{End: Lapsed}},
		}},
		{"failed instance", Persona{}, []look{
			{page(decided(""), func(p *web.Application) { p.Dossier.Failure = "boom" }), move{End: "failed: boom"}},
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			me := person{Persona: test.persona}
			for i, look := range test.looks {
				if diff := cmp.Diff(look.want, me.next(look.page)); diff != "" {
					t.Errorf("look %d (-want +got)\n%s", i+1, diff)
				}
			}
		})
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	joined := Story{Persona: Persona{Name: "Ada", Expected: "joined"}, Applicant: "a", End: "joined"}
	lost := Story{Persona: Persona{Name: "Bob", Expected: "joined"}, Applicant: "b", End: "trouble: no answer"}
	tests := []struct {
		name   string
		report Report
		good   bool
		want   []string
	}{
		{"all is well", Report{Stories: []Story{joined}}, true, []string{"everybody ended as the file says"}},
		{"somebody strayed", Report{Stories: []Story{joined, lost}}, false,
			[]string{`NOT AS EXPECTED: Bob (application b): "trouble: no answer", want "joined"`, "none of these"}},
		{"wrong books", Report{Stories: []Story{joined}, Audit: world.Audit{Wrong: []string{"a was charged twice"}}}, false,
			[]string{"WRONG IN THE BOOKS: a was charged twice"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var out strings.Builder
			test.report.Print(&out)
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("the report lacks %q:\n%s", want, out.String())
				}
			}
			if test.report.Good() != test.good {
				t.Errorf("Good() = %v", !test.good)
			}
		})
	}
}
