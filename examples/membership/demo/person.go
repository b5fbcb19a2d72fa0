package demo

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/durablegen/durablegen/examples/membership/club"
	"github.com/durablegen/durablegen/examples/membership/web"
)

// person is a persona on its way: what they have done so far.
type person struct {
	Persona
	answered int
	opened   bool
	spoke    bool // said what they wanted to say later
}

// move is what a person does next. The zero move is to wait.
type move struct {
	Post  string // last part of the path to post to
	Field string // of the form, with
	Value string // its value
	Open  string // or a link to follow
	End   string // or the story has ended, like this
}

// next looks at the page and decides. It counts on the move being made.
func (p *person) next(page web.Application) move {
	asks := page.Asks()
	if end := p.end(page); end != "" {
		return move{End: end}
	}
	if p.wantsToSpeak(page) {
		p.spoke = true
		if p.Later == "renew" {
			return move{Post: "pay-ahead", Field: "season", Value: strconv.Itoa(asks.Season)}
		}
		return move{Post: p.Later}
	}
	// Type a code when the page shows what became of the one before.
	if asks.Code && p.answered < len(p.Answers) && page.Dossier.Phone.TriesLeft == club.Tries-p.answered {
		if code, ok := readCode(page); ok {
			if p.Answers[p.answered] == "wrong" {
				code = code%9000 + 1000 // another number of four digits
			}
			p.answered++
			return move{Post: "code", Field: "code", Value: strconv.Itoa(code)}
		}
	}
	if asks.Link && p.Opens && !p.opened {
		if link, ok := readLink(page); ok {
			p.opened = true
			return move{Open: link}
		}
	}
	return move{}
}

// wantsToSpeak reports whether it is time to withdraw, cancel or renew. Who answers the code withdraws at the board,
// who does not withdraws at once.
func (p *person) wantsToSpeak(page web.Application) bool {
	if p.spoke {
		return false
	}
	switch p.Later {
	case "withdraw":
		verifying := page.Dossier.Progress.Step == club.Verifying
		return page.Asks().Withdraw && verifying == (len(p.Answers) == 0)
	case "cancel", "renew":
		return page.Dossier.Standing.Season.Number > 0
	}
	return false
}

// end is how the story ended, or "" as long as it goes on.
func (p *person) end(page web.Application) string {
	d := page.Dossier
	switch {
	case !page.Status.Done:
		return ""
	case d.Failure != "":
		return "failed: " + d.Failure
	case d.Outcome.Decision != club.Joined:
		return string(d.Outcome.Decision)
	case d.Leaving == club.Cancelled:
		return Cancelled
	case d.Leaving == club.Lapsed:
		return Lapsed
	case p.Later == "renew" && d.Standing.Season.Number > 1 && !d.Standing.Overdue:
		return Renewed
	case p.Later == "":
		return string(club.Joined)
	}
	return ""
}

var codeShape = regexp.MustCompile(`\b[1-9][0-9]{3}\b`)

// readCode finds the code in the newest text that has one.
func readCode(page web.Application) (int, bool) {
	for _, text := range page.Texts {
		if found := codeShape.FindString(text.Message.Body); found != "" {
			code, err := strconv.Atoi(found)
			return code, err == nil
		}
	}
	return 0, false
}

// readLink finds the link to confirm in the mailbox.
func readLink(page web.Application) (string, bool) {
	for _, mail := range page.Mails {
		if strings.Contains(mail.Message.Link, "/confirm?") {
			return mail.Message.Link, true
		}
	}
	return "", false
}
