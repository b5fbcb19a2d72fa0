package world

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/durablegen/durablegen/examples/membership/club"
)

// A call over HTTP is a POST of one JSON object to the path of its verb; the answer is a JSON object too. Only programs
// can make one: a browser cannot send this content type to another site without asking first.
const (
	jsonType  = "application/json"
	bodyLimit = 64 << 10
)

// The bodies of the verbs.
type (
	sendCall struct {
		Key     string
		Message club.Message
	}
	chargeCall struct {
		Key    string
		Charge club.Charge
	}
	refundCall struct {
		Account string
		Season  int
	}
	printCall struct {
		Key    string
		Member club.Member
	}
	applicantCall struct{ Applicant string }
	nothing       struct{}
)

// refusal is the body of an answer that is no success. Kind lets the errors that the club knows keep their identity.
type refusal struct {
	Kind string
	Text string
}

// The kinds of a refusal.
const (
	unreachable   = "unreachable"
	declined      = "declined"
	alreadyMember = "already member"
)

// Serve offers the world to workers in other processes. It is for a loopback address or a private network: who can call
// it can do all that the club can.
func Serve(w *World) http.Handler {
	mux := http.NewServeMux()
	handle(mux, "send", func(ctx context.Context, c sendCall) (club.Message, error) { return w.Send(ctx, c.Key, c.Message) })
	handle(mux, "charge", func(ctx context.Context, c chargeCall) (club.Receipt, error) { return w.Charge(ctx, c.Key, c.Charge) })
	handle(mux, "refund", func(ctx context.Context, c refundCall) (nothing, error) {
		return nothing{}, w.Refund(ctx, c.Account, c.Season)
	})
	handle(mux, "enrol", func(ctx context.Context, a club.Applicant) (club.Member, error) { return w.Enrol(ctx, a) })
	handle(mux, "strike", func(ctx context.Context, c applicantCall) (nothing, error) {
		return nothing{}, w.Strike(ctx, c.Applicant)
	})
	handle(mux, "print", func(ctx context.Context, c printCall) (nothing, error) {
		return nothing{}, w.Print(ctx, c.Key, c.Member)
	})
	handle(mux, "subscribe", func(ctx context.Context, m club.Member) (nothing, error) { return nothing{}, w.Subscribe(ctx, m) })
	handle(mux, "unsubscribe", func(ctx context.Context, c applicantCall) (nothing, error) {
		return nothing{}, w.Unsubscribe(ctx, c.Applicant)
	})
	return mux
}

func handle[Call, Answer any](mux *http.ServeMux, verb string, do func(context.Context, Call) (Answer, error)) {
	mux.HandleFunc("POST /"+verb, func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", jsonType)
		var call Call
		answer, err := any(nil), error(nil)
		if r.Header.Get("Content-Type") != jsonType {
			err = fmt.Errorf("world: %s: the content type must be %s", verb, jsonType)
		} else if err = json.NewDecoder(http.MaxBytesReader(rw, r.Body, bodyLimit)).Decode(&call); err == nil {
			answer, err = do(r.Context(), call)
		}
		if err != nil {
			rw.WriteHeader(http.StatusUnprocessableEntity)
			answer = refuse(err)
		}
		_ = json.NewEncoder(rw).Encode(answer) // the caller sees a broken answer as an error and calls again
	})
}

func refuse(err error) refusal {
	if d, ok := errors.AsType[*club.DeclinedError](err); ok {
		return refusal{Kind: declined, Text: d.Reason}
	}
	switch {
	case errors.Is(err, club.ErrUnreachable):
		return refusal{Kind: unreachable, Text: err.Error()}
	case errors.Is(err, club.ErrAlreadyMember):
		return refusal{Kind: alreadyMember, Text: err.Error()}
	}
	return refusal{Text: err.Error()}
}

func (r refusal) err() error {
	switch r.Kind {
	case declined:
		return &club.DeclinedError{Reason: r.Text}
	case unreachable:
		return club.ErrUnreachable
	case alreadyMember:
		return club.ErrAlreadyMember
	}
	return errors.New(r.Text)
}

// Remote is a world in another process. It has the same methods, for the same interfaces.
type Remote struct {
	url    string
	client *http.Client
}

// Dial gives the world that Serve offers at url. Nothing is sent yet.
func Dial(url string) *Remote {
	return &Remote{
		url:    strings.TrimRight(url, "/") + "/",
		client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 100}},
	}
}

// Send implements club.Gateway.
func (r *Remote) Send(ctx context.Context, key string, m club.Message) (club.Message, error) {
	return call[club.Message](ctx, r, "send", sendCall{key, m})
}

// Charge implements club.Bank.
func (r *Remote) Charge(ctx context.Context, key string, c club.Charge) (club.Receipt, error) {
	return call[club.Receipt](ctx, r, "charge", chargeCall{key, c})
}

// Refund implements club.Bank.
func (r *Remote) Refund(ctx context.Context, account string, season int) error {
	_, err := call[nothing](ctx, r, "refund", refundCall{account, season})
	return err
}

// Enrol implements club.Register.
func (r *Remote) Enrol(ctx context.Context, a club.Applicant) (club.Member, error) {
	return call[club.Member](ctx, r, "enrol", a)
}

// Strike implements club.Register.
func (r *Remote) Strike(ctx context.Context, applicant string) error {
	_, err := call[nothing](ctx, r, "strike", applicantCall{applicant})
	return err
}

// Print implements club.Press.
func (r *Remote) Print(ctx context.Context, key string, m club.Member) error {
	_, err := call[nothing](ctx, r, "print", printCall{key, m})
	return err
}

// Subscribe implements club.MailingList.
func (r *Remote) Subscribe(ctx context.Context, m club.Member) error {
	_, err := call[nothing](ctx, r, "subscribe", m)
	return err
}

// Unsubscribe implements club.MailingList.
func (r *Remote) Unsubscribe(ctx context.Context, applicant string) error {
	_, err := call[nothing](ctx, r, "unsubscribe", applicantCall{applicant})
	return err
}

func call[Answer any](ctx context.Context, r *Remote, verb string, body any) (answer Answer, err error) {
	data, err := json.Marshal(body)
	if err != nil {
		return answer, fmt.Errorf("world: %s: %w", verb, err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+verb, bytes.NewReader(data))
	if err != nil {
		return answer, fmt.Errorf("world: %s: %w", verb, err)
	}
	request.Header.Set("Content-Type", jsonType)
	response, err := r.client.Do(request)
	if err != nil {
		return answer, fmt.Errorf("world: %s: %w", verb, err)
	}
	defer response.Body.Close()
	decoder := json.NewDecoder(io.LimitReader(response.Body, bodyLimit))
	if response.StatusCode == http.StatusOK {
		err = decoder.Decode(&answer)
	} else {
		var no refusal
		if err = decoder.Decode(&no); err == nil {
			return answer, no.err()
		}
		err = fmt.Errorf("%s: %w", response.Status, err)
	}
	if err != nil {
		err = fmt.Errorf("world: %s: read the answer: %w", verb, err)
	}
	return answer, err
}
