package demo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/durablegen/durablegen/examples/membership/web"
)

// Play lets people use a site.
type Play struct {
	Site     string // its address, such as http://127.0.0.1:8080
	People   []Persona
	AtOnce   int               // people on the site at the same time; 0: 100
	Glance   time.Duration     // between two looks at a page; 0: 250 ms
	Finished func(story Story) // called for each end, one at a time; may be nil
}

// Story is how one person fared.
type Story struct {
	Persona   Persona
	Applicant string // application number
	End       string // one of Ends, or what went wrong
}

// Run plays all the people to their ends, or until ctx ends. The stories come in the order of the people.
func (p Play) Run(ctx context.Context) []Story {
	if p.AtOnce == 0 {
		p.AtOnce = 100
	}
	if p.Glance == 0 {
		p.Glance = 250 * time.Millisecond
	}
	b := browser{site: p.Site, client: &http.Client{
		Timeout:   20 * time.Second,
		Transport: &http.Transport{MaxIdleConnsPerHost: p.AtOnce + 1},
	}}
	defer b.client.CloseIdleConnections()

	board := &board{browser: b, glance: p.Glance, words: map[string]string{}}
	ctx, stop := context.WithCancel(ctx)
	meeting := make(chan error, 1)
	go func() { meeting <- board.sit(ctx) }()

	stories := make([]Story, len(p.People))
	seats := make(chan struct{}, p.AtOnce)
	var telling sync.Mutex
	var all sync.WaitGroup
	for i, persona := range p.People {
		seats <- struct{}{}
		all.Go(func() {
			defer func() { <-seats }()
			story := p.live(ctx, b, board, persona)
			telling.Lock()
			defer telling.Unlock()
			stories[i] = story
			if p.Finished != nil {
				p.Finished(story)
			}
		})
	}
	all.Wait()
	stop()
	<-meeting
	return stories
}

// live plays one person.
func (p Play) live(ctx context.Context, b browser, board *board, persona Persona) Story {
	story := Story{Persona: persona}
	fail := func(err error) Story {
		story.End = "trouble: " + err.Error()
		return story
	}
	var home web.Home
	if err := b.open(ctx, "/", &home); err != nil {
		return fail(err)
	}
	story.Applicant = home.Form.ID
	board.invite(story.Applicant, persona.Board)
	path := "/applications/" + story.Applicant

	var page web.Application
	err := b.post(ctx, "/applications", url.Values{
		"id": {story.Applicant}, "name": {persona.Name}, "email": {persona.Email}, "phone": {persona.Phone}, "card": {persona.Card},
	}, &page)
	me := person{Persona: persona}
	for err == nil {
		switch m := me.next(page); {
		case m.End != "":
			story.End = m.End
			return story
		case m.Post != "":
			err = b.post(ctx, path+"/"+m.Post, url.Values{m.Field: {m.Value}}, &page)
		case m.Open != "":
			err = b.confirm(ctx, m.Open, &page)
		default:
			if err = wait(ctx, p.Glance); err == nil {
				err = b.open(ctx, path, &page)
			}
		}
	}
	return fail(fmt.Errorf("%w, while the page said %q", err, page.Status.Text))
}

// confirm follows the link of a mail and presses the button behind it.
func (b browser) confirm(ctx context.Context, link string, page *web.Application) error {
	var confirm web.Confirm
	if err := b.open(ctx, link, &confirm); err != nil {
		return err
	}
	return b.post(ctx, "/applications/"+confirm.ID+"/confirm", url.Values{"token": {confirm.Token}}, page)
}

// board plays the board of the club: it keeps looking at its desk and rules on each application once.
type board struct {
	browser browser
	glance  time.Duration

	mu    sync.Mutex
	words map[string]string // by application: approve, reject or silent; ruled ones are removed
}

// invite tells the board what it will think of an application.
func (b *board) invite(applicant, word string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.words[applicant] = word
}

// word takes the board's word on an application; "" when it has none to give, or gave it.
func (b *board) word(applicant string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	word := b.words[applicant]
	delete(b.words, applicant)
	if word == "silent" {
		return ""
	}
	return word
}

func (b *board) sit(ctx context.Context) error {
	for {
		var desk web.Desk
		if err := b.browser.open(ctx, "/board", &desk); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return err
		}
		for _, c := range desk.Cases {
			word := b.word(c.Applicant.ID)
			if word == "" {
				continue
			}
			form := url.Values{"word": {word}, "note": {map[string]string{"reject": "Not this season."}[word]}}
			if err := b.browser.post(ctx, "/board/"+c.Applicant.ID, form, &desk); err != nil {
				return err
			}
		}
		if err := wait(ctx, b.glance); err != nil {
			return err
		}
	}
}

// wait pauses for a while, or until ctx ends.
func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return errors.Join(ctx.Err(), context.Cause(ctx))
	}
}
